"""A line whose cable a crane tears and a crew mends, and one that only has a customer away."""

from __future__ import annotations

import numpy as np

from contracts.city import LineNetwork, LineNode, Span
from contracts.geo import Point
from contracts.nouns import Item
from detectors._common.sample import Sample, city, device, reading
from detectors.severed_cable.config import SeveredCableConfig
from detectors.severed_cable.tree import sites

POLES = 8
PHASES = ("voltage_a", "voltage_b", "voltage_c")


def line() -> LineNetwork:
    """A transformer, eight poles in a row and a customer at the fourth."""
    nodes = {"t": LineNode(id="t", what="transformer", point=Point(118.78, 31.26), device="mt")}
    spans: dict[str, Span] = {}
    before = "t"
    for i in range(1, POLES + 1):
        name = f"p{i}"
        point = Point(118.78 + 0.0005 * i, 31.26)
        nodes[name] = LineNode(id=name, what="pole", point=point, device=f"m{i}")
        path = (nodes[before].point, point)
        spans[f"s{i}"] = Span(id=f"s{i}", owner="power", from_=before, to=name, path=path)
        before = name
    nodes["c"] = LineNode(id="c", what="customer", point=Point(118.782, 31.2603), device="mc")
    spans["sc"] = Span(
        id="sc", owner="power", from_="p4", to="c", path=(nodes["p4"].point, nodes["c"].point)
    )
    return LineNetwork(id="line", nodes=nodes, spans=spans, root="t")


def below(span: int) -> set[str]:
    """Monitors below span s{span}."""
    return {f"m{i}" for i in range(span, POLES + 1)} | ({"mc"} if span <= 4 else set())


def sample(seed: int) -> Sample:
    """Every monitor every 10 s; one span severed for two minutes."""
    rng = np.random.default_rng(seed)
    names = ["mt", *(f"m{i}" for i in range(1, POLES + 1)), "mc"]
    town = city(
        devices={n: device(n, type="line_monitor", metrics=PHASES) for n in names},
        lines=(line(),),
    )
    dark = below(int(rng.integers(1, POLES + 1)))
    offset = {name: float(rng.uniform(0, 9)) for name in names}
    items: list[Item] = []
    quiet: list[Item] = []
    times = sorted((10.0 * k + offset[name], k, name) for k in range(36) for name in names)
    for t, k, name in times:
        for metric in PHASES:
            volts = 230.0 + float(rng.normal(0, 2))
            lost = 100 <= t < 220 and name in dark
            away = 70 <= t < 250 and name == "mc"
            items.append(reading(name, metric, 3.0 if lost else volts, t, k))
            quiet.append(reading(name, metric, 0.0 if away else volts, t, k))
    (site,) = sites(town, SeveredCableConfig())
    return Sample(city=town, site=site, items=tuple(items), quiet_items=tuple(quiet))
