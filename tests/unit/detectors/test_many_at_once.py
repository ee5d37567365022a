"""Readings as rows of arrays, and the kinds that fold many of them at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.city import City, DrainNetwork, Node, Pipe
from contracts.event import Event
from contracts.geo import Point
from contracts.nouns import Quality, Reading
from contracts.rows import Book
from detectors import specs
from detectors._common.many import fold_many
from detectors._common.sample import city, device, reading
from detectors._common.shelf import MOST

SPECS = specs()
HERE = Point(118.78, 31.26)


def town() -> City:
    """Three manholes in a row, two rain gauges, a road and a sensor that has no line; nobody has
    registered that one of the manholes measures rain as well."""
    nodes = {
        f"n{i}": Node(id=f"n{i}", point=HERE, invert_m=9.0 - i, rim_m=12.0 - i) for i in range(3)
    }
    pipes = {
        f"p{i}": Pipe(id=f"p{i}", from_=f"n{i}", to=f"n{i + 1}", path=(HERE, HERE), diameter_m=0.6)
        for i in range(2)
    }
    devices = {
        f"n{i}": device(f"n{i}", metrics=("level", "flow"), reports_every_s=60.0) for i in range(3)
    }
    devices["road"] = device("road", metrics=("depth",))
    devices["near"] = device("near", metrics=("rain_rate",))
    devices["far"] = device("far", metrics=("rain_rate",), point=Point(118.79, 31.26))
    devices["pond"] = device("pond", metrics=("level",), point=Point(118.80, 31.26))
    return city(devices=devices, drains=DrainNetwork(nodes=nodes, pipes=pipes))


def stream(seed: int) -> list[Reading]:
    """Half a day of all of them: gaps, spikes, marks, late ones, and sometimes rain and floods."""
    rng = np.random.default_rng(seed)
    out: list[Reading] = []
    storm = float(rng.uniform(0.2, 0.9))
    level = dict.fromkeys(("n0", "n1", "n2", "road"), 0.1)
    for i in range(300):
        wet = storm < i / 300 < storm + 0.1
        if i % 150 == 100:
            rng.uniform()  # a gap of two reports
            continue
        for name in ("n0", "n1", "n2", "road", "near", "far"):
            t = 60.0 * i + float(rng.uniform(0, 3)) + 3600.0 * (i > 200)
            if name in ("near", "far"):
                if rng.random() < 0.8:
                    out.append(reading(name, "rain_rate", 40.0 * wet, t, i))
                continue
            rise = 0.15 if name != "road" else 0.02
            level[name] = max(0.1, level[name] + (rise if wet else -0.1 * (level[name] - 0.1)))
            v = level[name] + float(rng.normal(0, 0.003)) + 2.0 * (rng.random() < 0.002)
            metric = "depth" if name == "road" else "level"
            one = reading(name, metric, round(v - (name == "road") * 0.1, 3), t, i)
            if rng.random() < 0.01:
                mark = rng.choice([Quality.SPIKE, Quality.STUCK, Quality.OUT_OF_RANGE])
                one = msgspec.structs.replace(one, quality=int(mark))
            if rng.random() < 0.01:
                one = msgspec.structs.replace(one, received_at=one.at + timedelta(seconds=300))
            out.append(one)
            if name == "n0":
                out.append(reading(name, "flow", v, t, i))
                out.append(reading("pond", "level", 3.0 * v, t, i))
            if name == "n1":
                out.append(reading(name, "rain_rate", 7.0 * wet, t, i))
    return sorted(out, key=lambda r: r.received_at)


KINDS = ("drain_blocked", "sensor_faulty", "sensor_silent")
"""That fold many at once, beside floods."""


@pytest.mark.parametrize("seed", range(4))
def test_all_sites_of_floods_fold_many_as_one_by_one(seed: int) -> None:
    assert folded_alike("flooding", stream(seed)), "a stream without a flood proves little"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_every_kind_that_folds_many_at_once_folds_them_as_one_by_one(kind: str, seed: int) -> None:
    folded_alike(kind, stream(seed))


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [("drain_blocked", "pool"), ("sensor_faulty", "stuck"), ("sensor_silent", "gone")],
)
def test_trouble_is_told_alike_from_many_at_once(kind: str, trouble: str) -> None:
    assert folded_alike(kind, troubled(trouble)), "nothing was told of the trouble"


@pytest.mark.parametrize("kind", ["flooding", "sensor_faulty"])
def test_what_waits_is_bounded_however_often_a_sensor_reports(kind: str) -> None:
    """Ten reports a second of still water: a quarter of an hour of them would be 9,000."""
    rng = np.random.default_rng(5)
    often = [
        reading(name, metric, round(0.1 + float(rng.normal(0, 0.002)), 4), 0.1 * i, i)
        for i in range(2500)
        for name, metric in (("n0", "level"), ("road", "depth"))
    ]
    folded_alike(kind, often)
    together, book = built(kind), Book()
    many = SPECS[kind].many
    assert many is not None
    folding = many([one for _, one in together])
    for begin in range(0, len(often), 250):
        fold_many(folding, book, often[begin : begin + 250])
    folding.settle()
    assert sum(len(one.snapshot()) for _, one in together) < 2 * 18 * MOST + 20_000


def built(kind: str) -> list[tuple[Any, Any]]:
    """(site, detector as new) of every site of the town."""
    spec, cfg = SPECS[kind], SPECS[kind].config()
    return [
        (site, spec.build(cfg, site, None))
        for site in spec.sites(town(), cfg)
        if Reading in spec.nouns(site)
    ]


def folded_alike(kind: str, items: list[Reading]) -> int:
    """Events of the kind; all its sites of the town together, offered many at once, give what
    each gives one by one, though batches end anywhere and all are stopped now and then."""
    spec = SPECS[kind]
    assert spec.many is not None
    count = 0
    for mean in (3, 40, 400):
        single, together, book = built(kind), built(kind), Book()
        many = spec.many([one for _, one in together])
        rng = np.random.default_rng(mean)
        begin = 0
        while begin < len(items):
            batch = items[begin : begin + 1 + int(rng.exponential(mean))]
            begin += len(batch)
            wanted: list[Event] = []
            for item in batch:
                for site, one in single:
                    here = item.device in {d.id for d in site.devices}
                    if here and (not spec.metrics or item.metric in spec.metrics):
                        wanted.extend(one.on_item(item))
            assert fold_many(many, book, batch) == wanted
            count += len(wanted)
            if rng.random() < 0.1:
                many.settle()
                assert [b.snapshot() for _, b in together] == [a.snapshot() for _, a in single]
        many.settle()
        assert [b.snapshot() for _, b in together] == [a.snapshot() for _, a in single]
    return count


def troubled(trouble: str) -> list[Reading]:
    """Fourteen hours of three manholes: after eight a pool forms below the first, or the last
    one's sensor is stuck, or falls silent for an hour."""
    rng = np.random.default_rng(5)
    out: list[Reading] = []
    for i in range(840):
        for k, name in enumerate(("n0", "n1", "n2")):
            v = 0.2 + 0.01 * k + float(rng.normal(0, 0.002))
            if trouble == "pool" and i > 480:
                v += min(1.2, 0.01 * (i - 480)) if k == 0 else -0.12
            if trouble == "stuck" and i > 480 and k == 2:
                v = 0.2345
            if trouble == "gone" and 480 < i < 540 and k == 2:
                continue
            out.append(reading(name, "level", round(v, 4), 60.0 * i + 3.0 * k, i))
    return out


def test_still_water_is_not_folded_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [one for site, one in built("flooding") if site.id == "n2"]
    items = [reading("n2", "level", 0.1 + 0.002 * (i % 3), 60.0 * i, i) for i in range(60)]
    assert SPECS["flooding"].many is not None
    many, book = SPECS["flooding"].many(found), Book()
    assert fold_many(many, book, items[:5]) == []
    monkeypatch.setattr(found[0], "on_item", None)
    assert fold_many(many, book, items[5:]) == []


def test_rows_hold_every_reading_at_its_place() -> None:
    book = Book()
    for seed in (1, 2):
        items = stream(seed)[:700]
        rows = book.rows(items)
        assert [rows.names[k] for k in rows.keys] == [(r.device, r.metric) for r in items]
        assert rows.at.tolist() == [r.at.timestamp() for r in items]
        assert rows.values.tolist() == [r.value for r in items]
        assert rows.received.tolist() == [r.received_at.timestamp() for r in items]
        newest: dict[int, float] = {}
        count: dict[int, int] = {}
        for place, key in enumerate(rows.keys.tolist()):
            assert rows.before[place] == newest.get(key, -np.inf)
            assert rows.rank[place] == count.get(key, 0)
            newest[key], count[key] = rows.at[place], rows.rank[place] + 1


def test_rows_are_cut_before_a_wake_up_could_be_due() -> None:
    items = [reading("a", "level", 1.0, 600.0 * i, i) for i in range(10)]
    rows = Book().rows(items)
    assert rows.within(6000.0) is rows
    assert len(rows.within(3000.0).at) == 5
    assert len(rows.within(0.0).readings) == 1


@pytest.mark.parametrize(
    ("change", "prompt_only"),
    [
        ({"quality": int(Quality.SPIKE)}, False),
        ({"received_at": reading("a", "level", 0.0, 400.0).at}, True),
        ({"at": reading("a", "level", 0.0, 0.0).at}, False),
    ],
    ids=["marked", "late", "out-of-order"],
)
def test_a_key_with_something_odd_is_not_plain(change: dict[str, Any], prompt_only: bool) -> None:
    items = [reading("a", "level", 1.0, 60.0 * i, i) for i in range(3)]
    items += [reading("b", "level", 1.0, 60.0 * i, i) for i in range(3)]
    assert Book().rows(items).prompt.all()
    items[1] = msgspec.structs.replace(items[1], **change)
    rows = Book().rows(items)
    assert rows.prompt.tolist() == [False] * 3 + [True] * 3
    assert rows.plain.tolist() == [prompt_only] * 3 + [True] * 3
