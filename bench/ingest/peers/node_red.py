"""Node-RED as a user would build it: MQTT in, a function, PostgreSQL; it stores, detects nothing.

The same broker, the same server with the same durability, the same unique key. Everything that
makes Node-RED faster and that its user could know is done for it: no editor, JSON parsed by the
MQTT node, prepared statements, ten connections, one statement for a thousand readings. It has two
advantages that cannot be taken from it: its MQTT node acknowledges a message when it has read it,
not when it is committed (what waits inside is lost with the process), and it does not look whether
a street is flooded.

The function uses node-postgres, the driver below every PostgreSQL node of Node-RED: the node that
npm still has, node-red-contrib-re-postgres, ships a driver of 2017.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench.ingest import sessions
from bench.ingest.drain import Stored
from bench.ingest.peers import process
from bench.ingest.stage import Stage
from ingest.broker import free_port

HERE: Final = Path(__file__).resolve().parent / "node_red"
INSERT, BATCHED = "insert", "batched"
"""The functions: one INSERT for each message; one UNNEST for a thousand readings or 20 ms."""
TABLE: Final = """
CREATE TABLE node_red (
    device text NOT NULL,
    metric text NOT NULL,
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (device, metric, at)
)
"""


def client_id(way: str) -> str:
    """Its id at the broker."""
    return f"peer-node-red-{way}"


def flow(stage: Stage, way: str) -> list[dict[str, Any]]:
    """The flow: broker, MQTT in, function. `way` is INSERT or BATCHED."""
    return [
        {"id": "tab", "type": "tab", "label": "readings"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": stage.host,
            "port": str(stage.port),
            "clientid": client_id(way),
            "autoConnect": True,
            "usetls": False,
            "protocolVersion": "4",
            "keepalive": "60",
            "cleansession": False,
        },
        {
            "id": "in",
            "type": "mqtt in",
            "z": "tab",
            "topic": sessions.FILTER,
            "qos": "1",
            "datatype": "json",
            "broker": "broker",
            "inputs": 0,
            "wires": [["store"]],
        },
        {
            "id": "store",
            "type": "function",
            "z": "tab",
            "func": (HERE / f"{way}.js").read_text(),
            "outputs": 0,
            "timeout": 0,
            "initialize": "",
            "finalize": "",
            "libs": [],
            "wires": [],
        },
    ]


def drain(
    stage: Stage, way: str, modules: Path, count: int, told: Callable[[int], None]
) -> Stored | None:
    """Time it on `count` queued messages of one reading; its session exists and is filled.

    None when not all came through.
    """
    folder = stage.folder / f"node-red-{way}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "flows.json").write_text(json.dumps(flow(stage, way)))
    shutil.copy(HERE / "settings.cjs", folder / "settings.js")
    command = ["node", str(modules / "node-red" / "red.js"), "--userDir", str(folder)]
    environ = {"BENCH_MODULES": str(modules), "BENCH_PORT": str(free_port())}
    red = process.Process(stage, command, folder, "Started flows", environ)
    return process.drain(red, stage, "node_red", TABLE, count, told)
