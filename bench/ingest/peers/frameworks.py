"""Frameworks that store: `frameworks.py faststream|mq-bridge`, printed as context.

Runs in an environment of its own (`install.python`), so it uses nothing of the project; where
broker and database are comes in the environment (`process.Process`). Both acknowledge after they
have stored. faststream writes one row for each message by an INSERT of its own; mq-bridge copies
two fields of each payload, in batches; it makes no readings of them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

TOPIC = "gridsentry/v1/feed/+/+/telemetry"
READY = "asks the broker"


def faststream() -> None:
    """FastStream with its MQTT broker and a pool of psycopg connections."""
    from faststream import AckPolicy, FastStream  # type: ignore[import-not-found,unused-ignore]
    from faststream.mqtt import (  # type: ignore[import-not-found,unused-ignore]
        MQTTBroker,
        MQTTMessage,
        QoS,
    )
    from psycopg_pool import AsyncConnectionPool

    where = {k: os.environ[f"BENCH_PG{k.upper()}"] for k in ("host", "user", "database")}
    pool = AsyncConnectionPool(
        f"host={where['host']} user={where['user']} dbname={where['database']}",
        kwargs={"autocommit": True},
        min_size=4,
        max_size=10,
        open=False,
    )
    broker = MQTTBroker(
        host="127.0.0.1",
        port=int(os.environ["BENCH_MQTT_PORT"]),
        client_id="peer-faststream",
        # A session with a backlog it cannot take up: messages come before its subscription is
        # confirmed, and it closes the connection. So it is filled once it listens.
        clean_session=True,
        receive_maximum=10_000,
        logger=None,
    )

    @broker.subscriber(
        TOPIC, qos=QoS.AT_LEAST_ONCE, ack_policy=AckPolicy.NACK_ON_ERROR, max_workers=10
    )  # type: ignore[untyped-decorator,unused-ignore]
    async def store(body: dict[str, Any], message: MQTTMessage) -> None:
        device = message.raw_message.topic.split("/")[4]
        async with pool.connection() as connection:
            for metric, value in body["m"].items():
                await connection.execute(
                    "INSERT INTO peer_faststream (device, metric, at, value)"
                    " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    [device, metric, body["ts"], value],
                )

    app = FastStream(broker, logger=None)

    @app.on_startup  # type: ignore[untyped-decorator,unused-ignore]
    async def begin() -> None:
        await pool.open(wait=True)

    @app.after_startup  # type: ignore[untyped-decorator,unused-ignore]
    async def listening() -> None:
        print(READY, flush=True)

    asyncio.run(app.run())


def mq_bridge() -> None:
    """One route: MQTT to a table, by COPY."""
    from mq_bridge import Route  # type: ignore[import-not-found,unused-ignore]

    host = os.environ["BENCH_PGHOST"].replace("/", "%2F")
    database = os.environ["BENCH_PGDATABASE"]
    route = Route.from_config(
        {
            "input": {
                "mqtt": {
                    "url": f"tcp://127.0.0.1:{os.environ['BENCH_MQTT_PORT']}",
                    "topic": TOPIC,
                    "client_id": "peer-mq-bridge",
                    "clean_session": False,
                    "session_expiry_interval": 3600,
                    "max_inflight": 10_000,
                    "queue_capacity": 10_000,
                    "qos": 1,
                }
            },
            "output": {
                "sqlx": {
                    "url": f"postgres://{os.environ['BENCH_PGUSER']}@{host}/{database}",
                    "table": "peer_mq_bridge",
                    "insert_query": "INSERT INTO peer_mq_bridge (at, seq)"
                    " VALUES (${payload:ts}, ${payload:seq})",
                    "bulk_copy": True,
                }
            },
            "batch_size": 5000,
            "startup_timeout_ms": 60_000,
        }
    )
    print(READY, flush=True)
    route.run()


if __name__ == "__main__":
    {"faststream": faststream, "mq-bridge": mq_bridge}[sys.argv[1]]()
