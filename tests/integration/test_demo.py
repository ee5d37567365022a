"""`gridsentry demo` as a person runs it: three tickets within a minute, people who act on them,
Ctrl-C, and once more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.rig import ROOT, eventually, free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]

WANTED = {"high_altitude_throw", "flooding", "severed_cable"}


class Demo:
    """The command in a process group of its own, as a terminal starts it."""

    def __init__(self, state: Path, port: int) -> None:
        self.port = port
        self.log = state.parent / "demo.log"
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gridsentry", "demo", "--state", str(state),
                 "--port", str(port), "--no-browser", "--seed", "5", "--warm", "1h"],
                cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def get(self, path: str) -> Any:
        """An answer of the API; None while it is not up."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as a:
                return json.load(a)
        except (urllib.error.URLError, OSError):
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return None

    def tickets(self) -> list[dict[str, Any]]:
        """Tickets that have a worker, a utility (their own, or of the parts that each owner of a
        shared pole got) and both reasons."""
        items = (self.get("/api/v1/tickets?limit=200") or {"items": []})["items"]
        parts = {t["parent"] for t in items if t["parent"] and t["utility"]}
        return [
            t for t in items
            if t["worker"] and (t["utility"] or t["id"] in parts)
            and t["reason"]["worker"]["text_en"] and t["reason"]["utility"]["text_zh"]
        ]  # fmt: skip

    def actions(self, who: str) -> set[tuple[str, str]]:
        """(kind, stage reached) of what people of this sort (`w-`, `utility:`) did themselves."""
        return {
            (t["kind"], step["change"])
            for t in self.tickets()
            for step in t["timeline"]
            if step["by"].startswith(who)
        }

    def ctrl_c(self) -> tuple[int, float]:
        """Interrupt the whole group as a terminal does; exit code and seconds until all ended."""
        began = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(20)
        return code, time.monotonic() - began


def processes_below(state: Path) -> list[str]:
    """Command lines of processes that name that folder or were started for it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(state) in line:
                found.append(line)
    return found


def test_three_tickets_within_a_minute_then_ctrl_c_and_a_second_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    demo = Demo(state, free_port())
    try:
        eventually(lambda: demo.get("/readyz"), timeout=60)
        up = time.monotonic()
        eventually(lambda: {t["kind"] for t in demo.tickets()} >= WANTED, timeout=90)
        took = time.monotonic() - up
        throw = next(t for t in demo.tickets() if t["kind"] == "high_altitude_throw")
        detail = eventually(
            lambda: [e for e in demo.get(f"/api/v1/tickets/{throw['id']}")["events"] if e["still"]],
            timeout=60,
        )
        assert detail[0]["clip"].endswith(".mp4")
        # the simulated workers take what they were sent, and go there
        eventually(
            lambda: (
                sum(stage == "accepted" for _, stage in demo.actions("w-")) >= 2
                and any(stage == "arrived" for _, stage in demo.actions("w-"))
            ),
            timeout=150,
        )
        before = {t["id"] for t in demo.tickets()}
        code, seconds = demo.ctrl_c()
    finally:
        if demo.process.poll() is None:
            os.killpg(demo.process.pid, signal.SIGKILL)
    assert code == 0, demo.log.read_text()[-3000:]
    assert processes_below(state) == []
    print(f"three tickets {took:.0f} s after the service was up; Ctrl-C took {seconds:.1f} s")
    assert took < 60
    assert seconds < 5

    demo = Demo(state, free_port())
    try:
        eventually(lambda: demo.get("/readyz"), timeout=60)
        eventually(lambda: before <= {t["id"] for t in demo.tickets()}, timeout=20)
        code, seconds = demo.ctrl_c()
    finally:
        if demo.process.poll() is None:
            os.killpg(demo.process.pid, signal.SIGKILL)
    assert code == 0
    assert processes_below(state) == []
