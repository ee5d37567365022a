"""The references are made from code: nothing in them is stale, nothing in the code is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from center.metrics import Metrics as CenterMetrics
from contracts.wire import SIM_CLOCK, SIM_FOLLOWER
from gridsentry.metrics import Metrics
from gridsentry.reference.asyncapi import asyncapi
from gridsentry.reference.configuration import tables
from gridsentry.reference.fields import field_notes, words
from gridsentry.reference.metrics import rows
from gridsentry.reference.pages import pages
from ingest.topics import PLAIN, TIMED

ROOT = Path(__file__).resolve().parents[3]
PAGES = pages()
STRUCTS = dict(tables())


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_file_is_what_the_code_says(name: str) -> None:
    path = ROOT / name
    assert path.is_file(), f"{name} is missing: run make docs"
    assert path.read_text(encoding="utf-8") == PAGES[name], f"{name} is stale: run make docs"


@pytest.mark.parametrize("heading", STRUCTS)
def test_every_setting_says_what_it_is_for(heading: str) -> None:
    struct = STRUCTS[heading]
    silent = [note.name for note in field_notes(struct) if not note.note]
    assert not silent, f"{struct.__module__}.{struct.__name__} lacks docstrings under: {silent}"
    assert struct.__doc__, f"{struct.__name__} has no docstring"


def test_every_table_refuses_what_it_does_not_know() -> None:
    lenient = [h for h, s in STRUCTS.items() if not s.__struct_config__.forbid_unknown_fields]
    assert not lenient


def test_a_setting_without_a_docstring_is_noticed() -> None:
    class Silent(msgspec.Struct):
        said: int = 1
        """Something."""
        unsaid: int = 2

    assert [n.note for n in field_notes(Silent)] == ["Something.", ""]


def test_types_are_told_in_words() -> None:
    class Shapes(msgspec.Struct):
        port: int = 1
        """A."""
        name: str | None = None
        """B."""
        zones: tuple[str, ...] = ()
        """C."""

    fields = msgspec.inspect.type_info(Shapes)
    assert isinstance(fields, msgspec.inspect.StructType)
    assert [words(f.type) for f in fields.fields] == ["integer", "text", "list of text"]


def registered() -> dict[str, tuple[str, ...]]:
    """Every metric that can be served: name as scraped → its labels."""
    service = Metrics().registry
    center = CollectorRegistry()
    CenterMetrics(center)
    found: dict[str, tuple[str, ...]] = {}
    for registry in (service, center):
        for collector in registry._collector_to_names:
            name = collector._name + ("_total" if collector._type == "counter" else "")  # type: ignore[attr-defined]
            found[name] = tuple(collector._labelnames)  # type: ignore[attr-defined]
    return found


def test_every_metric_stands_in_the_reference_with_its_labels() -> None:
    told = {name: tuple(filter(None, labels.split(", "))) for name, labels, _ in rows()}
    assert told == registered()
    assert all(what for _, _, what in rows())


def addresses() -> dict[str, Any]:
    return {channel["address"]: channel for channel in asyncapi()["channels"].values()}


def test_every_topic_we_understand_is_a_channel() -> None:
    feed = "gridsentry/v1/feed/{district}/{device}"
    wanted = {f"{feed}/{what}" for what in PLAIN} | {f"{feed}/{w}/{{epoch_ms}}" for w in TIMED}
    wanted |= {"gridsentry/v1/worker/{worker}/position", SIM_CLOCK, SIM_FOLLOWER}
    assert wanted <= set(addresses())


def test_every_topic_that_the_code_names_is_a_channel() -> None:
    known = {re.sub(r"\{[^}]*\}", "{}", address) for address in addresses()}
    for path in [*ROOT.glob("center/*.py"), *ROOT.glob("simulators/*.py")]:
        for topic in re.findall(r'f?"(gridsentry/v1/[^"]+)"', path.read_text(encoding="utf-8")):
            named = re.sub(r"\{[^}]*\}", "{}", topic)
            if "#" not in named and "+" not in named:
                assert any(k == named or k.startswith(f"{named}/") for k in known), (path, topic)


def test_the_asyncapi_document_holds_together() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(document["info"])
    used = set()
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        used.add(operation["channel"]["$ref"].removeprefix("#/channels/"))
    assert used == set(document["channels"])
    for channel in document["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"])
        assert all(p["description"] for p in channel["parameters"].values())
        for message in channel["messages"].values():
            assert "payload" in message
            assert "contentType" in message
    schemas = document["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
        assert name in schemas


def test_links_in_the_documents_lead_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert not dead
