"""Devices and readings answer as OGC SensorThings 1.1 (18-088) says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from center.accounts.sessions import digest_of
from center.problems import Problem
from center.sensorthings.filters import parse_filter
from center.sensorthings.units import PROPERTIES, UNITS
from contracts.accounts import Note, Session
from contracts.clock import iso
from contracts.kinds import METRICS
from contracts.nouns import Reading
from tests.unit.center.conftest import Client, Reply, Serve
from tests.unit.center.scene import LAT, LON, START, STEP, Scene
from tests.unit.center.test_center_store import Stored

ROOT = "/sta/v1.1"
COUNT = 240
STREAM = f"{ROOT}/Datastreams('lvl-0:level')"


def reading(device: str, metric: str, value: float, ago: timedelta, **more: Any) -> Reading:
    at = START - ago
    return Reading(
        device=device, metric=metric, value=value, at=at, received_at=at, **{"sent_at": at, **more}
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    folder: Path = tmp_path_factory.mktemp("sta")
    made = Stored(folder)
    made.commit(
        [
            *(reading("lvl-0", "level", n / 100, timedelta(minutes=COUNT - n))
              for n in range(COUNT)),
            reading("lvl-0", "battery", 3.6, timedelta(days=40)),
            reading("lvl-1", "level", 0.5, timedelta(minutes=5)),
            *(reading("lvl-2", "ph", 7.0 + n, timedelta(minutes=1), sent_at=None, seq=n, boot=3)
              for n in range(3)),
        ]
    )  # fmt: skip
    made.server.start()
    yield made
    made.server.stop(2.0)


@pytest.fixture
def client(stored: Stored) -> Client:
    return Client(stored.server)


def get(client: Client, path: str) -> Reply:
    return client.get(quote(path, safe="/?&=$(),':;@%~"))


def results(told: dict[str, Any]) -> list[float]:
    return [one["result"] for one in told["value"]]


def follow(client: Client, told: dict[str, Any]) -> list[float]:
    """All results from this page to the last, by `@iot.nextLink`."""
    found = results(told)
    while link := told.get("@iot.nextLink"):
        parts = urlsplit(link)
        told = client.get(f"{parts.path}?{parts.query}").json
        found += results(told)
    return found


@pytest.mark.parametrize("path", [ROOT, f"{ROOT}/"])
def test_the_root_names_the_entity_sets_and_what_is_conformed_to(client: Client, path: str) -> None:
    told = client.get(path).json
    base = f"http://127.0.0.1:{client.server.port}{ROOT}"
    sets = {one["name"]: one["url"] for one in told["value"]}
    assert sets == {
        name: f"{base}/{name}"
        for name in (
            "Things", "Locations", "HistoricalLocations", "Datastreams", "Sensors",
            "ObservedProperties", "Observations", "FeaturesOfInterest",
        )
    }  # fmt: skip
    for url in sets.values():
        assert "value" in client.get(urlsplit(url).path).json
    conformance = told["serverSettings"]["conformance"]
    assert "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel" in conformance


def test_a_thing_is_a_device_with_links(client: Client) -> None:
    link = f"http://127.0.0.1:{client.server.port}{ROOT}/Things('lvl-0')"
    assert get(client, f"{ROOT}/Things('lvl-0')").json == {
        "@iot.id": "lvl-0",
        "@iot.selfLink": link,
        "name": "lvl-0",
        "description": "设备 / Device: water_level, wenhui",
        "properties": {
            "district": "wenhui", "type": "water_level", "owner": "water", "site": "drain-a",
        },
        "Locations@iot.navigationLink": f"{link}/Locations",
        "HistoricalLocations@iot.navigationLink": f"{link}/HistoricalLocations",
        "Datastreams@iot.navigationLink": f"{link}/Datastreams",
    }  # fmt: skip
    (place,) = get(client, f"{ROOT}/Things('lvl-0')/Locations").json["value"]
    assert place["encodingType"] == "application/geo+json"
    assert place["location"] == {
        "type": "Point", "coordinates": [LON + 0.6 * STEP, LAT + 1.5 * STEP],
    }  # fmt: skip


def test_a_datastream_is_a_metric_of_a_device(client: Client) -> None:
    told = get(client, STREAM).json
    assert told["unitOfMeasurement"] == {
        "name": "metre", "symbol": "m", "definition": "http://qudt.org/vocab/unit/M",
    }  # fmt: skip
    assert told["observationType"].endswith("/OM_Measurement")
    for name, id_ in (
        ("Thing", "lvl-0"), ("Sensor", "water_level"), ("ObservedProperty", "level"),
    ):  # fmt: skip
        link = urlsplit(told[f"{name}@iot.navigationLink"]).path
        assert client.get(link).json["@iot.id"] == id_
    first, last = (iso(START - timedelta(minutes=m)) for m in (COUNT, 1))
    assert told["phenomenonTime"] == f"{first}/{last}"
    period = get(client, f"{STREAM}/phenomenonTime/$value").body.decode()
    assert period == told["phenomenonTime"]
    listed = client.get(f"{ROOT}/Datastreams?$count=true").json
    assert [one["@iot.id"] for one in listed["value"]] == [
        "lvl-0:level", "lvl-1:level", "lvl-2:ph",
    ]  # fmt: skip
    assert listed["@iot.count"] == 3
    of_level = get(client, f"{ROOT}/ObservedProperties('level')/Datastreams").json["value"]
    assert [one["@iot.id"] for one in of_level] == ["lvl-0:level", "lvl-1:level"]


def test_a_metric_of_long_ago_is_there_by_its_own_address(client: Client) -> None:
    told = get(client, f"{ROOT}/Datastreams('lvl-0:battery')/Observations").json
    assert results(told) == [3.6]
    assert get(client, f"{ROOT}/Datastreams('lvl-0:tilt')").status == 404


def test_a_devices_own_metric_has_a_unit_of_null(client: Client) -> None:
    told = get(client, f"{ROOT}/Datastreams('lvl-2:ph')").json
    assert told["unitOfMeasurement"] == {"name": None, "symbol": None, "definition": None}


def test_an_observation_is_a_reading_and_leads_back(client: Client) -> None:
    (one,) = get(client, f"{STREAM}/Observations?$top=1").json["value"]
    at = iso(START - timedelta(minutes=COUNT))
    assert one["@iot.id"] == f"lvl-0:level@{at}"
    assert (one["phenomenonTime"], one["resultTime"], one["result"]) == (at, at, 0.0)
    again = client.get(urlsplit(one["@iot.selfLink"]).path).json
    assert again == one
    stream = client.get(urlsplit(one["Datastream@iot.navigationLink"]).path).json
    assert stream["@iot.id"] == "lvl-0:level"
    place = client.get(urlsplit(one["FeatureOfInterest@iot.navigationLink"]).path).json
    assert place["feature"]["type"] == "Point"


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("top", [1000, 100, 7])
def test_pages_follow_each_other_without_gap_or_repeat(client: Client, way: str, top: int) -> None:
    told = get(client, f"{STREAM}/Observations?$orderby=phenomenonTime {way}&$top={top}").json
    wanted = [n / 100 for n in range(COUNT)]
    assert follow(client, told) == (wanted if way == "asc" else wanted[::-1])


@pytest.mark.parametrize("way", ["asc", "desc"])
def test_readings_of_one_moment_are_told_apart_and_paged(client: Client, way: str) -> None:
    path = f"{ROOT}/Datastreams('lvl-2:ph')/Observations?$orderby=phenomenonTime {way}&$top=1"
    first = get(client, path).json
    assert sorted(follow(client, first)) == [7.0, 8.0, 9.0]
    (one,) = first["value"]
    assert client.get(urlsplit(one["@iot.selfLink"]).path).json == one


def test_the_newest_is_one_question(client: Client) -> None:
    path = f"{STREAM}/Observations?$orderby=phenomenonTime desc&$top=1&$count=true"
    told = get(client, path).json
    assert (results(told), told["@iot.count"]) == ([2.39], COUNT)


def test_a_period_is_asked_for_by_filter(client: Client) -> None:
    since, until = (iso(START - timedelta(minutes=m)) for m in (10, 5))
    for ops, wanted in (
        (("ge", "lt"), [2.30, 2.31, 2.32, 2.33, 2.34]),
        (("gt", "le"), [2.31, 2.32, 2.33, 2.34, 2.35]),
    ):
        bounds = f"phenomenonTime {ops[0]} {since} and phenomenonTime {ops[1]} {until}"
        for way in ("asc", "desc"):
            path = f"{STREAM}/Observations?$count=true&$filter={bounds}"
            told = get(client, f"{path}&$orderby=phenomenonTime {way}").json
            assert results(told) == (wanted if way == "asc" else wanted[::-1])
            assert told["@iot.count"] == 5


def test_results_are_filtered_too_and_skipped(client: Client) -> None:
    path = f"{STREAM}/Observations?$filter=result gt 1.995 and result lt 2.055&$top=2"
    told = get(client, path).json
    assert results(told) == [2.00, 2.01]
    assert follow(client, told) == [2.00, 2.01, 2.02, 2.03, 2.04, 2.05]
    assert results(get(client, f"{path}&$skip=3").json) == [2.03, 2.04]


def test_observations_of_the_whole_city_come_stream_by_stream(client: Client) -> None:
    told = get(client, f"{ROOT}/Observations?$top=100&$count=true").json
    assert told["@iot.count"] == COUNT + 4
    assert follow(client, told) == [n / 100 for n in range(COUNT)] + [0.5, 7.0, 8.0, 9.0]
    one = get(client, f"{ROOT}/Observations?$filter=Datastream/id eq 'lvl-1:level'").json
    assert results(one) == [0.5]
    old = get(client, f"{ROOT}/Observations?$filter=Datastream/id eq 'lvl-0:battery'").json
    assert results(old) == [3.6]
    place = get(client, f"{ROOT}/FeaturesOfInterest('lvl-1')/Observations").json
    assert results(place) == [0.5]


def test_expand_puts_the_newest_reading_into_each_stream(client: Client) -> None:
    inner = "Observations($top=1;$orderby=phenomenonTime desc;$select=result;$count=true)"
    path = f"{ROOT}/Things?$filter=name eq 'lvl-0'&$expand=Datastreams($expand={inner}),Locations"
    (thing,) = get(client, path).json["value"]
    (stream,) = thing["Datastreams"]
    assert stream["Observations"] == [{"result": 2.39}]
    assert stream["Observations@iot.count"] == COUNT
    assert "Datastreams@iot.navigationLink" not in thing
    assert [one["@iot.id"] for one in thing["Locations"]] == ["lvl-0"]
    parts = urlsplit(stream["Observations@iot.nextLink"])
    assert client.get(f"{parts.path}?{parts.query}").json["value"] == [{"result": 2.38}]
    short = get(client, f"{STREAM}?$expand=Thing/Locations,Sensor").json
    assert short["Thing"]["Locations"][0]["@iot.id"] == "lvl-0"
    assert short["Sensor"]["@iot.id"] == "water_level"


def test_things_are_filtered_ordered_selected_and_paged(client: Client) -> None:
    cameras = get(client, f"{ROOT}/Things?$filter=properties/type eq 'camera'").json["value"]
    assert [one["@iot.id"] for one in cameras] == ["cam-1"]
    path = f"{ROOT}/Things?$filter=startswith(name,'lvl') and not (name eq 'lvl-9')"
    told = get(client, f"{path}&$orderby=name desc&$top=2&$select=id,Datastreams&$count=true").json
    assert told["@iot.count"] == 13
    assert [one["@iot.id"] for one in told["value"]] == ["lvl-8", "lvl-7"]
    assert set(told["value"][0]) == {"@iot.id", "Datastreams@iot.navigationLink"}
    parts = urlsplit(told["@iot.nextLink"])
    more = client.get(f"{parts.path}?{parts.query}").json
    assert [one["@iot.id"] for one in more["value"]] == ["lvl-6", "lvl-5"]


def test_properties_values_and_references_have_addresses(client: Client) -> None:
    assert get(client, f"{ROOT}/Things('lvl-0')/name").json == {"name": "lvl-0"}
    assert get(client, f"{ROOT}/Things('lvl-0')/properties/type/$value").body == b"water_level"
    assert get(client, f"{ROOT}/Things('cam-1')/properties/owner").status == 204
    (ref,) = get(client, f"{ROOT}/Things('lvl-0')/Datastreams/$ref").json["value"]
    assert set(ref) == {"@iot.selfLink"}
    inside = f"{ROOT}/Things('lvl-0')/Datastreams('lvl-1:level')"
    assert get(client, inside).status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Nothings", 404),
        ("/", 404),
        ("Things//Datastreams", 404),
        ("Observations?$skiptoken=lvl-0:level@999999999999999999-1", 400),
        ("Things('none')", 404),
        ("Things('lvl-0')/Nothing", 404),
        ("Things/Datastreams", 404),
        ("Observations('lvl-0:level@2020-01-01T00:00:00Z')", 404),
        ("Observations('x')", 404),
        ("Things?$filter=name", 400),
        ("Things?$filter=name eq", 400),
        ("Things?$filter=nothing eq 'a'", 400),
        ("Things?$filter=year(name) eq 1", 501),
        ("Things?$filter=name add 1 eq 2", 501),
        ("Things?$filter=Datastreams/name eq 'a'", 501),
        ("Things?$top=-1", 400),
        ("Things?$count=yes", 400),
        ("Things?$expand=Observations", 400),
        ("Things?$select=nothing", 400),
        ("Things?$orderby=nothing", 400),
        ("Things?$search=a", 400),
        ("Things('lvl-0')?$top=1", 400),
        ("Things?$resultFormat=dataArray", 501),
        ("Observations?$orderby=phenomenonTime desc", 501),
        ("Datastreams('lvl-0:level')/Observations?$orderby=result", 501),
        ("Datastreams('lvl-0:level')/Observations?$filter=phenomenonTime ge 5", 400),
        ("Datastreams('lvl-0:level')/Observations?$filter=nothing ge 5", 400),
        ("Datastreams('lvl-0:level')/Observations?$filter=result ge 1&$count=true", 501),
        ("Datastreams('lvl-0:level')/Observations?$skiptoken=x", 400),
        ("Datastreams('lvl-0:level')/Observations?$skiptoken=lvl-1:level@0-0", 400),
    ],
)
def test_what_is_wrong_or_not_offered_is_said(client: Client, path: str, status: int) -> None:
    answer = get(client, f"{ROOT}/{path}")
    assert answer.status == status, answer.body
    told = answer.json
    assert (told["code"], told["type"]) == (status, "error")
    assert told["message"]


def entered(scene: Scene, name: str) -> str:
    """The cookie of a session as after a login."""
    now, token = scene.desk.clock.now(), f"cookie-of-{name}"
    session = Session(
        id=f"s-{name}", digest=digest_of(token), account=f"a-{name}", how="password",
        made_at=now, seen_at=now, ends_at=now + timedelta(days=1), address="::1", agent="",
    )  # fmt: skip
    assert scene.accounts is not None
    with pytest.raises(StopIteration):  # memory never waits
        scene.accounts.add_session(session, Note(at=now, who=name, action="login")).send(None)
    return token


def test_everybody_sees_the_devices_of_their_part(scene: Scene, serve: Serve) -> None:
    """lvl-0 to lvl-3 stand in c0, the others east of it."""
    for device in ("lvl-0", "lvl-9"):
        scene.desk.measurements.append((device, "level", START - timedelta(minutes=1), 0, 1.0))
    scene.person("north", role="operator", password=None, grids=("c0",))
    scene.person("fixer", role="worker", password=None, worker="w-05")
    client = serve()
    for name, things, streams in (
        ("north", ["lvl-0", "lvl-1", "lvl-2", "lvl-3"], ["lvl-0:level"]),
        ("fixer", [], []),
    ):
        headers = {"Cookie": f"gridsentry={entered(scene, name)}"}
        told = client.get(f"{ROOT}/Things", headers=headers).json
        found = [one["@iot.id"] for one in told["value"]]
        assert [id_ for id_ in found if id_.startswith("lvl")] == things
        told = client.get(f"{ROOT}/Datastreams", headers=headers).json
        assert [one["@iot.id"] for one in told["value"]] == streams
        for path in ("Things('lvl-9')", "Datastreams('lvl-9:level')/Observations"):
            assert client.get(f"{ROOT}/{path}", headers=headers).status == 404


def test_nothing_can_be_written(client: Client) -> None:
    assert client.post(f"{ROOT}/Things", {}).status == 405


def test_a_filter_knows_its_precedence() -> None:
    known = {"a": 1, "b": "it's", "t": "2026-01-01T08:00:00+08:00", "n": None}
    for text, wanted in (
        ("a eq 1 or a eq 2 and b eq 'x'", True),
        ("(a eq 1 or a eq 2) and b eq 'x'", False),
        ("not a eq 2 and b eq 'it''s'", True),
        ("t eq 2026-01-01T00:00:00Z", True),
        ("t gt 2026-01-01T08:00:00.001+08:00", False),
        ("n eq null and n lt 1", False),
        ("a lt 'b'", False),
        ("endswith(b,'s') and substringof('t',b)", True),
    ):
        assert parse_filter(text).test(known.__getitem__) is wanted, text
    with pytest.raises(Problem):
        parse_filter("(" * 200 + "a eq 1")


def test_every_metric_has_a_unit_and_a_name() -> None:
    assert set(METRICS.values()) <= set(UNITS)
    assert set(METRICS) == set(PROPERTIES)
