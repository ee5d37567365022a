"""The generated pages by file name."""

from __future__ import annotations

import inspect
import json
from typing import Any

from center.app import VERSION
from center.openapi import document
from center.routes import routes
from contracts.city import City
from gridsentry.city.schema import schemas
from gridsentry.reference.asyncapi import asyncapi
from gridsentry.reference.configuration import configuration
from gridsentry.reference.deploy import mosquitto_conf
from gridsentry.reference.loop import loop
from gridsentry.reference.metrics import metrics
from router import profiles

GENERATED = "docs/generated"


def pages() -> dict[str, str]:
    """File name from the project's root → content."""
    nowhere = City(
        id="city", timezone="UTC", profile=profiles.load("cn-default"), grids=(), devices={}
    )
    return {
        f"{GENERATED}/configuration.md": configuration(),
        f"{GENERATED}/metrics.md": metrics(),
        f"{GENERATED}/loop.md": loop(),
        f"{GENERATED}/openapi.json": _json(document(routes(nowhere, _nothing), VERSION)),
        f"{GENERATED}/asyncapi.json": _json(asyncapi()),
        f"{GENERATED}/schemas.json": _json(schemas()),
        "deploy/mosquitto/mosquitto.conf": mosquitto_conf(),
    }


async def _nothing(*_: Any) -> Any:
    """Stands for the handler of the document itself: only the table is read here."""


def _json(value: object) -> str:
    return json.dumps(_clean(value), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _clean(value: Any) -> Any:
    """Docstrings without their indentation, which Python 3.13 strips and 3.11 does not."""
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return inspect.cleandoc(value) if isinstance(value, str) and "\n" in value else value
