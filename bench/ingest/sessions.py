"""Persistent sessions of those who are measured: made before the broker is filled, ended after."""

from __future__ import annotations

import threading

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.ingest.stage import Stage

FILTER = "gridsentry/v1/feed/+/+/telemetry"
"""What everybody but the service subscribes to; the service has its own filters."""
RECEIVE_MAXIMUM = 10_000
"""Messages on their way to one client, as the service says it; with 3.1.1 the broker's setting."""
WAIT_S = 20.0


def client(client_id: str, *, five: bool, manual_ack: bool = False) -> paho.Client:
    """A paho client of a persistent session, not yet connected."""
    return paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        manual_ack=manual_ack,
        clean_session=None if five else False,
    )


def connect(which: paho.Client, host: str, port: int) -> None:
    """Connect it to its session, whichever version it speaks."""
    if which.protocol != MQTTProtocolVersion.MQTTv5:
        which.connect(host, port)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.SessionExpiryInterval = 3600
    which.connect(host, port, clean_start=False, properties=properties)


def remember(stage: Stage, client_id: str, topic: str = FILTER, *, five: bool = False) -> None:
    """Make the session: from now on the broker queues for it."""
    one = client(client_id, five=five)
    ready = threading.Event()
    one.on_connect = lambda c, *_: c.subscribe(topic, qos=1)
    one.on_subscribe = lambda *_: ready.set()
    connect(one, stage.host, stage.port)
    one.loop_start()
    taken = ready.wait(WAIT_S)
    one.disconnect()
    one.loop_stop()
    if not taken:
        raise SystemExit(f"the broker did not take the subscription of {client_id}")


def forget(stage: Stage, client_id: str) -> None:
    """End the session: nothing is queued for it any more."""
    one = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    gone = threading.Event()
    one.on_connect = lambda c, *_: c.disconnect()
    one.on_disconnect = lambda *_: gone.set()
    one.connect(stage.host, stage.port)
    one.loop_start()
    gone.wait(WAIT_S)
    one.loop_stop()
