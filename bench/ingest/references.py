"""What the same backlog costs those who only take it: bare paho, and mosquitto_sub.

`python -m bench.ingest.references subscribe|drain …` is the paho reference as a process of its own,
so that it can be pinned and its processor time told apart.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from time import process_time
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.ingest import machine
from bench.ingest.stage import ROOT, Stage
from contracts.clock import monotonic

FILTER = "gridsentry/v1/feed/+/+/telemetry"
EVERY = 500
"""Acknowledged together."""
LIMIT_S = 180


class Taken(msgspec.Struct):
    """One run of one reference."""

    messages_per_s: float
    us: float
    """Processor time per message."""


def _client(version: str, port: int) -> paho.Client:
    five = version == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"ref-paho-{version}",
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
        clean_session=None if five else False,
    )
    if five:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = 10_000  # as the service
        properties.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    else:
        client.connect("127.0.0.1", port)
    return client


def subscribe_paho(version: str, port: int) -> None:
    """Make its persistent session."""
    client = _client(version, port)
    ready = threading.Event()
    client.on_connect = lambda c, *_: c.subscribe(FILTER, qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.loop_start()
    if not ready.wait(10):
        raise SystemExit("the broker did not take the reference's subscription")
    client.disconnect()
    client.loop_stop()


def drain_paho(version: str, port: int, count: int) -> Taken:
    """Take the backlog: acknowledge per 500, drop the message, time from first to last."""
    waiting: list[tuple[int, int]] = []
    times: list[float] = []
    used: list[float] = []
    seen = 0
    done = threading.Event()

    def on_message(client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        nonlocal seen
        if not seen:
            times.append(monotonic())
            used.append(process_time())
        seen += 1
        waiting.append((message.mid, message.qos))
        if len(waiting) == EVERY or seen == count:
            for mid, qos in waiting:
                client.ack(mid, qos)
            waiting.clear()
        if seen == count:
            times.append(monotonic())
            used.append(process_time())
            done.set()

    client = _client(version, port)
    client.on_message = on_message
    client.loop_start()
    if not done.wait(LIMIT_S):
        raise SystemExit(f"only {seen} of {count} messages came")
    client.disconnect()
    client.loop_stop()
    return Taken(count / (times[1] - times[0]), (used[1] - used[0]) / count * 1e6)


def _run(stage: Stage, *arguments: str) -> str:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.ingest.references", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    machine.pin(process.pid, {stage.core})
    out, _ = process.communicate(timeout=LIMIT_S + 30)
    if process.returncode:
        raise SystemExit(f"the reference {' '.join(arguments)} failed")
    return out


def subscribe(stage: Stage) -> None:
    """Sessions of all references, so that one pouring fills them all."""
    for version in ("3.1.1", "5"):
        _run(stage, "subscribe", version, str(stage.port))
    if shutil.which("mosquitto_sub"):
        subprocess.run([*_mosquitto_sub(stage), "-E"], check=True, timeout=20)


def paho_reference(stage: Stage, version: str, count: int) -> Taken:
    """The bare paho subscriber on the measured core."""
    return msgspec.json.decode(
        _run(stage, "drain", version, str(stage.port), str(count)), type=Taken
    )


def mosquitto_sub_reference(stage: Stage, count: int) -> Taken | None:
    """mosquitto_sub on the measured core, from its start to its end; None where it is missing."""
    if not shutil.which("mosquitto_sub"):
        return None
    began = monotonic()
    process = subprocess.Popen(
        [*_mosquitto_sub(stage), "-C", str(count)], stdout=subprocess.DEVNULL
    )
    machine.pin(process.pid, {stage.core})
    used = 0.0
    while process.poll() is None:
        used = max(used, machine.cpu_s(process.pid))
        stage.clock.sleep(0.005)
        if monotonic() - began > LIMIT_S:
            process.kill()
            raise SystemExit("mosquitto_sub did not get all messages")
    return Taken(count / (monotonic() - began), used / count * 1e6)


def _mosquitto_sub(stage: Stage) -> list[str]:
    where = ["-h", stage.host, "-p", str(stage.port)]
    return ["mosquitto_sub", *where, "-i", "ref-sub", "-c", "-q", "1", "-t", FILTER]


def forget(stage: Stage) -> None:
    """End the references' sessions: nothing is queued for them any more."""
    for client_id in ("ref-paho-3.1.1", "ref-paho-5", "ref-sub"):
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        gone = threading.Event()
        client.on_connect = lambda c, *_: c.disconnect()
        client.on_disconnect = lambda *_, gone=gone: gone.set()
        client.connect(stage.host, stage.port)
        client.loop_start()
        gone.wait(10)
        client.loop_stop()


def main(arguments: list[str]) -> None:
    """Subscribe or drain, as a process of its own."""
    what, version, port = arguments[0], arguments[1], int(arguments[2])
    if what == "subscribe":
        subscribe_paho(version, port)
    else:
        taken = drain_paho(version, port, int(arguments[3]))
        print(json.dumps(msgspec.to_builtins(taken)))


if __name__ == "__main__":
    main(sys.argv[1:])
