"""A broker of our own beside the service: Mosquitto where there is one, else iotcore's."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from contracts.clock import monotonic
from contracts.errors import Temporary, Wrong
from ingest.broker_config import render

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

MOSQUITTO_LIMITS: Final = (
    "Mosquitto: keeps sessions and queues over a restart; on a crash or power cut it loses what "
    "came since its last save (at most 30 s ago)."
)
IOTCORE_LIMITS: Final = (
    "iotcore (no Mosquitto was found): at most 100 messages unacknowledged at a time; sessions and "
    "queues are gone when it restarts; large backlogs lose their oldest messages. Good for a try, "
    "not for duty: install Mosquitto (apt-get install mosquitto)."
)
_PLACES = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto")

# rumqttd's own configuration: its default listens everywhere and refuses payloads above 20 KiB.
_IOTCORE = """\
id = 0
[router]
id = 0
max_connections = 200
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 40
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 100
dynamic_filters = true
"""


def find_mosquitto() -> str | None:
    """Where the mosquitto program is, or None. Distributions keep it out of a user's PATH."""
    found = shutil.which("mosquitto")
    if found:
        return found
    return next((place for place in _PLACES if Path(place).is_file()), None)


def _end_with_parent() -> None:
    """Linux: SIGTERM for this child when its parent dies, so that a killed service leaves no broker
    behind that writes into the same folder as the next one's."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class EmbeddedBroker:
    """A broker as a child process, on 127.0.0.1 only. Stop it after everything that uses it."""

    def __init__(self, folder: Path, port: int | None = None, *, prefer: str = "mosquitto") -> None:
        """`folder` keeps its configuration, database and log; `port` None takes a free one.

        `prefer` is `mosquitto` or `iotcore`. Raises Wrong when neither can be had.
        """
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._program = find_mosquitto() if prefer == "mosquitto" else None
        if self._program is None and importlib.util.find_spec("iotcore") is None:
            raise Wrong(
                "broker",
                "neither mosquitto nor the Python package iotcore is installed",
                "apt-get install mosquitto, or pip install iotcore",
            )
        self.limits = MOSQUITTO_LIMITS if self._program else IOTCORE_LIMITS
        """What this broker does not promise: for people to read."""

    @property
    def name(self) -> str:
        """`mosquitto` or `iotcore`."""
        return "mosquitto" if self._program else "iotcore"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process else None

    def start(self, wait_s: float = 10.0) -> tuple[str, int]:
        """Start it and wait until it answers; (host, port). Raises Temporary when it does not."""
        if self._process is not None and self._process.poll() is None and self._port:
            return "127.0.0.1", self._port
        self._folder.mkdir(parents=True, exist_ok=True)
        port = self._port = self._port or free_port()
        if answers(port):
            raise Temporary(f"port {port} is taken by another program")
        log = self._folder / "broker.log"
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal must not reach it before us.
            self._process = subprocess.Popen(
                self._command(port),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self._folder,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call into libc, no locks
            )
        until = monotonic() + wait_s
        pause = threading.Event()
        while not answers(port):
            if self._process.poll() is not None or monotonic() > until:
                tail = log.read_text(errors="replace").strip().splitlines()[-3:]
                self.stop()
                raise Temporary(f"{self.name} does not start on port {port}: {' / '.join(tail)}")
            pause.wait(0.02)
        # Somebody else may have taken the port at this very moment and be the one who answers:
        # ours then ends on its own.
        pause.wait(0.2)
        if self._process.poll() is not None:
            self.stop()
            raise Temporary(f"port {port} was taken by another program at the same moment")
        return "127.0.0.1", port

    def stop(self, wait_s: float = 5.0) -> None:
        """SIGTERM, so that it saves its queues; SIGKILL when it takes longer than `wait_s`."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(wait_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()

    def _command(self, port: int) -> list[str]:
        if self._program:
            return [self._program, "-c", str(self._mosquitto_conf(port))]
        config = self._folder / "iotcore.toml"
        config.write_text(_IOTCORE.format(port=port, payload=48 * 2**20))
        code = (
            "import sys, threading, os, iotcore.iotcore as c; "
            # Ends with us: our end of the pipe closes when this process goes, however it goes.
            "threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), "
            "daemon=True).start(); c.IotCoreBroker(config_path=sys.argv[1]).run_forever()"
        )
        return [sys.executable, "-c", code, str(config)]

    def _mosquitto_conf(self, port: int) -> Path:
        data = self._folder.resolve()
        # As root it would become user mosquitto, who may not reach a folder below /root: it stays
        # root then, on 127.0.0.1 only.
        user = pwd.getpwuid(0).pw_name if os.geteuid() == 0 else None
        path = data / "mosquitto.conf"
        path.write_text(render(port=port, data=data, user=user))
        return path


def answers(port: int) -> bool:
    """Whether somebody accepts connections on this port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
