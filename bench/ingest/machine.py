"""Which core does what, and how much processor time a process and its children have used."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cores() -> tuple[int, set[int]]:
    """(the core for who is measured, the cores for everybody else).

    The last core is taken: the first one serves most interrupts.
    """
    mine = sorted(os.sched_getaffinity(0))
    return mine[-1], set(mine[:-1]) or set(mine)


def cpu_s(pid: int) -> float:
    """User and system seconds of one process with all its threads (proc(5), stat 14 and 15)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def tree_cpu_s(pid: int) -> float:
    """Of a process, its living children, and those it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    total = sum(int(f) for f in fields[11:15]) * TICK_S
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            continue
        total += sum(tree_cpu_s(int(child)) for child in children)
    return total


def rss_mb(pid: int) -> float:
    """Resident memory of one process, MB (10^6 bytes); 0 when it is gone (proc(5), statm)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except FileNotFoundError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def asks(pid: int, port: int) -> bool:
    """Whether a process holds a connection to this port of the machine (proc(5), net/tcp)."""
    ours = set()
    try:
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                ours.add(str(fd.readlink()))
        lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    except FileNotFoundError:
        return False
    for line in lines:
        fields = line.split()
        to = int(fields[2].rpartition(":")[2], 16)
        if to == port and fields[3] == "01" and f"socket:[{fields[9]}]" in ours:
            return True
    return False


def pin(pid: int, where: set[int]) -> None:
    """Keep a process and what it starts from now on to these cores."""
    os.sched_setaffinity(pid, where)


def processor() -> str:
    """What the machine calls its processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def load() -> float:
    """Load average of the last minute: above the number of cores, wall time says little."""
    return os.getloadavg()[0]


def versions() -> dict[str, str]:
    """What was measured on."""
    told = {name: version(name) for name in ("paho-mqtt", "msgspec", "psycopg")}
    return {
        "machine": f"{os.cpu_count()} x {processor()}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **told,
    }
