"""What a feeder's engine says of open conductors: figures that the field and others measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contracts.errors import Wrong
from simulators.lines import drawn, files
from simulators.lines.engine import USUAL, Engine, Topology
from simulators.lines.model import Model
from simulators.lines.scene import breakable, whole


def rows(model: Model, span: str, what: str) -> list[int]:
    """Rows of the nodes of a kind behind a span."""
    dark, nodes = model.behind(span), model.network.nodes
    return [k for k, n in enumerate(nodes) if n in dark and nodes[n].what == what]


@pytest.fixture(scope="module")
def town() -> Engine:
    return Engine(drawn.town(3))


@pytest.fixture(scope="module")
def village() -> Engine:
    return Engine(drawn.village(1))


def trunk(model: Model) -> str:
    """The first span of the 10 kV line that is no switch: most transformers are behind it."""
    return next(s for s in breakable(model, "severed") if model.network.spans[s].kv == 10.0)


def test_every_voltage_is_usual_where_nothing_is_open(town: Engine, village: Engine) -> None:
    for engine in (town, village):
        state = engine.solve(USUAL, 0.8)
        nominal = np.array([s.nominal_v for s in engine.model.spots.values()])[:, None]
        shares = state.volts[:, :3] / nominal
        assert np.nanmin(shares) > 0.85
        assert np.nanmax(shares) < 1.1
        assert np.nanmax(state.volts[:, 3]) < 20.0


def test_an_open_phase_at_10_kv_is_half_one_half_on_the_low_side(town: Engine) -> None:
    model = town.model
    span = trunk(model)
    state = town.solve(Topology(open=((span, (2,)),)), 0.7)
    behind = rows(model, span, "transformer")
    assert behind
    shares = np.sort(state.volts[behind, :3] / drawn.LV_V, axis=1)
    assert np.all(np.abs(shares[:, :2] - 0.5) < 0.12)
    assert np.all(np.abs(shares[:, 2] - 1.0) < 0.08)


def test_a_fallen_conductor_misleads_phase_to_earth_but_not_the_low_side(town: Engine) -> None:
    model = town.model
    span = trunk(model)
    usual = town.solve(USUAL, 0.7)
    state = town.solve(Topology(open=((span, (1,)),), earth=(span, 1, 100.0)), 0.7)
    healthy = rows(model, span, "pole")
    poles = [k for k in healthy if model.spots[list(model.spots)[k]].nominal_v > 1000]
    assert np.nanmax(state.volts[poles, :3] / drawn.MV_V) > 1.3  # of sound phases
    before = [k for k, n in enumerate(model.network.nodes) if n not in model.behind(span)]
    low = [k for k in before if model.spots[list(model.spots)[k]].nominal_v < 1000]
    assert np.allclose(state.volts[low], usual.volts[low], rtol=0.03, atol=2.0, equal_nan=True)


def test_a_cut_neutral_raises_one_phase_and_lowers_another(village: Engine) -> None:
    model = village.model
    spans = breakable(model, "neutral_open")
    span = max(spans, key=lambda s: len(model.behind(s)))
    state = village.solve(Topology(open=((span, (4,)),)), 0.7)
    volts = state.volts[rows(model, span, "pole"), :3]
    assert volts.max() > 250.0
    assert volts.min() < 215.0
    assert state.volts[rows(model, span, "pole"), 3].max() > 15.0


def test_behind_a_severed_span_there_is_nothing_and_before_it_all(village: Engine) -> None:
    model = village.model
    span = breakable(model, "severed")[3]
    state = village.solve(Topology(open=((span, whole(model, span)),)), 0.7)
    dark = model.behind(span)
    for k, node in enumerate(model.network.nodes):
        volts = state.volts[k, :3]
        assert (np.nanmax(volts) < 1.0) == (node in dark)


def test_what_was_opened_closes_without_a_trace(town: Engine) -> None:
    model = town.model
    before = town.solve(USUAL, 0.6)
    span, node = trunk(model), next(iter(model.loads))
    town.solve(
        Topology(
            open=((span, (1, 3)),),
            feed_open=(2,),
            source=0.5,
            earth=(span, 1, 50.0),
            demand=((node, 0.1),),
        ),
        0.9,
    )
    after = town.solve(USUAL, 0.6)
    assert np.allclose(before.volts, after.volts, rtol=1e-5, atol=1e-2, equal_nan=True)


@pytest.mark.recordings
def test_backfeed_leaves_at_most_057_on_an_open_phase_of_ieee123(recordings: Path) -> None:
    model = files.read("ieee123", recordings / "lines" / "feeders")
    engine = Engine(model)
    assert len(model.network.nodes) == 125
    order = list(model.network.nodes)
    nominal = np.array([model.spots[n].nominal_v for n in order])
    worst = 0.0
    for span in breakable(model, "phase_open"):
        dark = [order.index(n) for n in model.behind(span)]
        for phase in model.wires[span].conductors:
            state = engine.solve(Topology(open=((span, (phase,)),)), 0.8)
            worst = max(
                worst, float(np.nanmax(state.volts[dark, phase - 1] / nominal[dark], initial=0))
            )
    assert 0.5 < worst < 0.6


@pytest.mark.recordings
def test_spans_of_a_file_are_as_long_as_its_lines_and_lead_away_from_the_source(
    recordings: Path,
) -> None:
    model = files.read("ieee123", recordings / "lines" / "feeders")
    assert model.lengths["l115"] == pytest.approx(400 * 0.3048)
    assert sum(s.switch for s in model.network.spans.values()) == 6
    reached = {model.network.root}
    for span in model.network.spans.values():
        assert span.from_ in reached
        reached.add(span.to)
    assert reached == set(model.network.nodes)
    assert model.network.spans["l25"].phases == "ac"


def test_a_feeder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match=r"IEEE123Master\.dss is not there"):
        files.read("ieee123", tmp_path)
