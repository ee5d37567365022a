"""What the same backlog costs those who only take it: our own session, bare paho, other clients.

`python -m bench.ingest.references paho|session …` is one of them as a process of its own, so that
it can be pinned and its processor time told apart; clients other than paho live in an environment
of their own (`peers.install`).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any, Final

import msgspec
import paho.mqtt.client as paho

from bench.ingest import machine, sessions
from bench.ingest.stage import ROOT, Stage
from contracts.clock import monotonic
from ingest.session import MqttSession
from ingest.settings import MqttSettings

EVERY: Final = 500
"""Acknowledged together."""
LIMIT_S: Final = 180
CLIENTS: Final = Path(__file__).resolve().parent / "peers" / "clients.py"


class Taken(msgspec.Struct):
    """One run of one reference."""

    messages_per_s: float
    us: float
    """Processor time per message."""


class Reference(msgspec.Struct, frozen=True):
    """Somebody who takes messages and stores nothing."""

    key: str
    name: str
    client_id: str
    five: bool = False
    """Whether it speaks MQTT 5."""


SESSION: Final = Reference("session", "our session alone (paho below)", "ref-ours", True)
PAHO_3: Final = Reference("paho 3.1.1", "bare paho, MQTT 3.1.1", "ref-paho-3.1.1")
PAHO_5: Final = Reference("paho 5", "bare paho, MQTT 5", "ref-paho-5", True)
SUB: Final = Reference("mosquitto_sub", "mosquitto_sub (C)", "ref-sub")
GMQTT: Final = Reference("gmqtt", "bare gmqtt", "peer-gmqtt")
MQTTIUM: Final = Reference("mqttium", "bare mqttium", "peer-mqttium")
RAW: Final = Reference("raw", "a protocol by hand on asyncio", "peer-raw")
OWN: Final = (SESSION, PAHO_3, PAHO_5, SUB)
OTHERS: Final = (GMQTT, MQTTIUM, RAW)
"""Those that need the peers' environment."""


def take(
    reference: Reference, stage: Stage, count: int, python: Path | None = None
) -> Taken | None:
    """Let it take its filled session on the measured core; None where it is not installed."""
    if reference == SUB:
        return _mosquitto_sub(stage, count)
    if reference in OTHERS:
        if python is None:
            return None
        command = [str(python), str(CLIENTS), reference.key, str(stage.port), str(count)]
    else:
        module = [sys.executable, "-m", "bench.ingest.references"]
        command = [*module, *reference.key.split(), str(stage.port), str(count)]
    return msgspec.json.decode(_run(stage, command), type=Taken)


def _run(stage: Stage, command: Sequence[str]) -> str:
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    machine.pin(process.pid, {stage.core})
    out, _ = process.communicate(timeout=LIMIT_S + 30)
    if process.returncode:
        raise SystemExit(f"the reference failed: {' '.join(command)}")
    return out


def _mosquitto_sub(stage: Stage, count: int) -> Taken | None:
    """From its start to its end; None where it is missing."""
    if not shutil.which("mosquitto_sub"):
        return None
    where = ["-h", stage.host, "-p", str(stage.port), "-i", SUB.client_id]
    wanted = ["-c", "-q", "1", "-t", sessions.FILTER, "-C", str(count)]
    began = monotonic()
    process = subprocess.Popen(["mosquitto_sub", *where, *wanted], stdout=subprocess.DEVNULL)
    machine.pin(process.pid, {stage.core})
    used = 0.0
    while process.poll() is None:
        used = max(used, machine.cpu_s(process.pid))
        stage.clock.sleep(0.005)
        if monotonic() - began > LIMIT_S:
            process.kill()
            raise SystemExit("mosquitto_sub did not get all messages")
    return Taken(count / (monotonic() - began), used / count * 1e6)


# --- as processes of their own ------------------------------------------------------------------


class _Tally:
    """When the first and when the last came; what came with the first is not counted."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0
        self._first = 0
        self._times: list[tuple[float, float]] = []

    def add(self, number: int) -> bool:
        """So many more; whether these were the last."""
        if number and not self.seen:
            self._first = number
            self._times.append((monotonic(), process_time()))
        self.seen += number
        if self.seen < self.wanted:
            return False
        self._times.append((monotonic(), process_time()))
        return True

    def taken(self) -> Taken:
        """What it came to."""
        (t0, u0), (t1, u1) = self._times[0], self._times[-1]
        timed = self.wanted - self._first
        return Taken(timed / (t1 - t0), (u1 - u0) / timed * 1e6)


def drain_paho(which: Reference, port: int, count: int) -> Taken:
    """Take the backlog: acknowledge per 500, drop the message, time from first to last."""
    waiting: list[tuple[int, int]] = []
    tally = _Tally(count)
    done = threading.Event()

    def on_message(client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        last = tally.add(1)
        waiting.append((message.mid, message.qos))
        if len(waiting) == EVERY or last:
            for mid, qos in waiting:
                client.ack(mid, qos)
            waiting.clear()
        if last:
            done.set()

    client = sessions.client(which.client_id, five=which.five, manual_ack=True)
    client.on_message = on_message
    sessions.connect(client, "127.0.0.1", port)
    client.loop_start()
    if not done.wait(LIMIT_S):
        raise SystemExit(f"only {tally.seen} of {count} messages came")
    client.disconnect()
    client.loop_stop()
    return tally.taken()


def drain_session(port: int, count: int) -> Taken:
    """The service's own way in, as its loop uses it, with nothing behind."""
    settings = MqttSettings(host="127.0.0.1", port=port, client_id=SESSION.client_id)
    session = MqttSession(settings, [sessions.FILTER])
    tally = _Tally(count)
    until = monotonic() + LIMIT_S
    session.start()
    try:
        last = False
        while not last:
            arrivals = session.take(5000 if tally.seen else 1, 1.0)
            last = tally.add(len(arrivals))
            session.acknowledge(arrivals)
            if monotonic() > until:
                raise SystemExit(f"only {tally.seen} of {count} messages came")
    finally:
        session.stop()
    return tally.taken()


def main(arguments: list[str]) -> None:
    """`session PORT COUNT` or `paho VERSION PORT COUNT`."""
    what, *version, port, count = arguments
    if what == "session":
        taken = drain_session(int(port), int(count))
    else:
        taken = drain_paho(PAHO_5 if version == ["5"] else PAHO_3, int(port), int(count))
    print(json.dumps(msgspec.to_builtins(taken)))


if __name__ == "__main__":
    main(sys.argv[1:])
