"""Readings as columns, and the kinds that fold many of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.city import City, DrainNetwork, Node, Pipe
from contracts.columns import ALL, columns, in_order
from contracts.geo import Point
from contracts.nouns import Quality, Reading
from detectors import specs
from detectors._common.laws import many_at_once_equal_the_fold
from detectors._common.many import fold_many
from detectors._common.sample import Sample, city, device, reading
from detectors.flooding import SPEC
from detectors.flooding.config import FloodingConfig

SPECS = specs()
HERE = Point(118.78, 31.26)


def town() -> City:
    """Three manholes in a row, two rain gauges, a road and a sensor that has no line."""
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
    return sorted(out, key=lambda r: r.received_at)


KINDS = ("drain_blocked", "sensor_faulty", "sensor_silent")
"""That fold many at once, beside floods."""


@pytest.mark.parametrize("seed", range(4))
def test_a_flooding_site_folds_many_as_one_by_one(seed: int) -> None:
    assert folded_alike("flooding", stream(seed)), "a stream without a flood proves little"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_every_kind_that_folds_many_at_once_folds_them_as_one_by_one(kind: str, seed: int) -> None:
    assert hasattr(next(built(kind))[1], "on_batch")
    folded_alike(kind, stream(seed))


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [("drain_blocked", "pool"), ("sensor_faulty", "stuck"), ("sensor_silent", "gone")],
)
def test_trouble_is_told_alike_from_many_at_once(kind: str, trouble: str) -> None:
    assert folded_alike(kind, troubled(trouble)), "nothing was told of the trouble"


def built(kind: str) -> Iterator[tuple[Any, Any]]:
    """(site, detector as new) of every site of the town."""
    spec, cfg = SPECS[kind], SPECS[kind].config()
    for site in spec.sites(town(), cfg):
        if Reading in spec.nouns(site):
            yield site, spec.build(cfg, site, None)


def folded_alike(kind: str, items: list[Reading]) -> int:
    """Events of the kind; at every site of the town many at once give what one by one does."""
    spec, events = SPECS[kind], 0
    for site, detector in built(kind):
        here = {d.id for d in site.devices}
        own = tuple(
            r for r in items if r.device in here and (not spec.metrics or r.metric in spec.metrics)
        )
        sample = Sample(city=town(), site=site, items=own, quiet_items=own[: len(own) // 3])
        many_at_once_equal_the_fold(spec, sample)
        events += sum(len(list(detector.on_item(r))) for r in own)
    return events


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


def test_dry_readings_are_not_folded_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    where = town()
    site = next(s for s in SPEC.sites(where, FloodingConfig()) if s.id == "n2")
    detector: Any = SPEC.build(FloodingConfig(), site, None)
    items = [reading("n2", "level", 0.1 + 0.002 * (i % 3), 60.0 * i, i) for i in range(400)]
    for item in items[:5]:
        detector.on_item(item)
    monkeypatch.setattr(detector, "on_item", None)
    assert fold_many(detector, list(columns(items[5:]).values())) == []


def test_columns_hold_every_reading_at_its_place() -> None:
    items = stream(1)
    made = columns(items)
    assert [r for _, r in in_order(list(made.values()))] == items
    for key, one in made.items():
        assert all((r.device, r.metric) == key for r in one.readings)
        assert one.values == [r.value for r in one.readings]
        assert one.at == [r.at.timestamp() for r in one.readings]
        assert [items[p] for p in one.places] == one.readings
        middle = one.places[len(one.places) // 2]
        k = one.upto(middle)
        first, rest = one.part(0, k), one.part(k, ALL)
        assert first.places + rest.places == one.places
        assert rest.places[0] == middle


@pytest.mark.parametrize(
    "change",
    [
        {"quality": int(Quality.SPIKE)},
        {"received_at": reading("a", "level", 0.0, 400.0).at},
        {"at": reading("a", "level", 0.0, 0.0).at},
    ],
    ids=["marked", "late", "out-of-order"],
)
def test_a_column_with_something_odd_is_not_plain(change: dict[str, Any]) -> None:
    items = [reading("a", "level", 1.0, 60.0 * i, i) for i in range(3)]
    assert columns(items)["a", "level"].plain
    items[1] = msgspec.structs.replace(items[1], **change)
    assert not columns(items)["a", "level"].plain
