"""The chart of a line incident: its map with the posterior, monitors, voltages, the trace."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from center.linechart import LineChart, OtdrTrace, Strip, draw_line
from center.linemap import LineMap, Mark, Stretch
from tests.unit.center.conftest import Client, Serve
from tests.unit.center.scene import FIBRE, Scene
from tests.unit.center.test_center_plot import SVG, classes, words
from tests.unit.center.torn import tear, torn


def found(svg: str, name: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(svg).iter() if one.get("class") == name]


@pytest.fixture
def served(scene: Scene, serve: Serve) -> Client:
    tear(scene)
    scene.happen("severed_cable", opened_s_ago=270, evidence=torn(scene))
    return serve()


@pytest.mark.parametrize("path", ["tickets/t-1", "incidents/i-1", "events/e-severed_cable-1"])
def test_ticket_incident_and_event_show_the_line_the_monitors_and_the_point(
    served: Client, path: str
) -> None:
    reply = served.get(f"/api/v1/{path}/plot.svg?lang=en&width=720")
    assert reply.status == 200
    svg = reply.body.decode()
    assert {"map", "likely", "point", "error", "lost", "there", "alarm"} <= set(classes(svg))
    told = words(svg)
    assert "lost 5" in told and "there 5" in told and "unknown 1" in told
    assert "sp4 88 %" in told and "± 24 m" in told
    assert "record of rec-1: phase A B C lost at 19:55:30 to the record's end" in told


def test_likelier_spans_are_drawn_stronger_and_above(served: Client) -> None:
    svg = served.get("/api/v1/tickets/t-1/plot.svg").body.decode()
    spans = [(one.findtext(f"{SVG}title", ""), one) for one in found(svg, "likely")]
    assert [name.split()[0] for name, _ in spans] == ["sp3", "sp5", "sp4"]
    strength = [float(one.get("opacity", "0")) for _, one in spans]
    assert strength == sorted(strength) and strength[-1] > 2 * strength[0]


def test_voltages_are_those_of_the_nearest_monitors_as_shares_of_usual(served: Client) -> None:
    svg = served.get("/api/v1/tickets/t-1/plot.svg?lang=en&width=720").body.decode()
    told = words(svg).split(" | ")
    shown = [name for name in told if "lm-t" in name]
    assert shown == [f"t{n} · lm-t{n}" for n in (5, 6, 7, 8, 4, 3, 2)]
    assert len(found(svg, "strip")) == 7 and len(found(svg, "gasp")) == 1
    assert {"phase-a", "phase-b", "phase-c"} <= set(classes(svg))


def test_the_chart_speaks_chinese_by_default(served: Client) -> None:
    told = words(served.get("/api/v1/tickets/t-1/plot.svg").body.decode())
    assert "失电 5" in told and "断点概率" in told and "录波 rec-1" in told


def test_an_event_that_names_no_monitors_still_has_its_map(scene: Scene, serve: Serve) -> None:
    scene.happen("severed_cable")
    reply = serve().get("/api/v1/tickets/t-1/plot.svg")
    drawn = classes(reply.body.decode())
    assert reply.status == 200 and "likely" in drawn and "strip" not in drawn


def test_of_many_monitors_the_number_that_the_detector_tells_counts(
    scene: Scene, serve: Serve
) -> None:
    tear(scene)
    told = {**torn(scene), "monitors": {"lost": 140, "there": 2, "unknown": 0}}
    scene.happen("severed_cable", evidence=told)
    svg = serve().get("/api/v1/tickets/t-1/plot.svg?lang=en").body.decode()
    assert "lost 140" in words(svg) and "there 2" in words(svg)


def test_hostile_evidence_is_not_drawn(scene: Scene, serve: Serve) -> None:
    evil = {
        "spans": [["sp4", "many"], 7, ["<script>", 0.9], ["sp3", float("nan")]],
        "point": {"lon": "x", "lat": 3}, "error_m": "far", "lost": "all", "there": [None, 3],
        "records": [1, {"at": "then"}],
    }  # fmt: skip
    scene.happen("severed_cable", evidence={**evil, "spans": [*evil["spans"], ["sp5", 0.4]]})
    reply = serve().get("/api/v1/tickets/t-1/plot.svg")
    svg = reply.body.decode()
    assert reply.status == 200 and "<script" not in svg and "sp5 40 %" in words(svg)


def test_of_a_fibre_the_part_behind_the_break_is_dashed_and_the_break_marked(
    scene: Scene, serve: Serve
) -> None:
    evidence = {**FIBRE, "fibre": "f1", "baseline_trace": FIBRE["healthy_trace"]}
    scene.happen("fibre_break", evidence=evidence)
    svg = serve().get("/api/v1/tickets/t-1/plot.svg?lang=en").body.decode()
    assert {"span", "behind", "trace-now", "trace-before", "limit close"} <= set(classes(svg))
    assert "break 868.2 m ± 6.0" in words(svg)
    (kept,) = found(svg, "span")
    (dark, _key) = found(svg, "behind")
    assert kept.get("d", "").rsplit("L", 1)[1] == dark.get("d", "")[1:].split("L")[0]


@pytest.mark.parametrize("missing", ["healthy_trace", "trace", "point", "distance_m"])
def test_what_a_fibre_s_event_lacks_is_left_out(scene: Scene, serve: Serve, missing: str) -> None:
    evidence = {name: value for name, value in FIBRE.items() if name != missing}
    scene.happen("fibre_break", evidence={**evidence, "fibre": "f1"})
    assert serve().get("/api/v1/tickets/t-1/plot.svg").status == 200


def test_the_same_data_gives_the_same_bytes_at_every_width() -> None:
    chart = LineChart(
        title="<&>",
        map=LineMap(
            stretches=(
                Stretch("a", ((0.0, 0.0), (900.0, 10.0)), 0.7),
                Stretch("b", ((0, 0), (0, 9))),
            ),
            marks=tuple(Mark(f"m{k}", "pole", (5.0 * k, 0.0), "there") for k in range(200)),
            point=(450.0, 5.0),
            error_m=0.0,
        ),
        counts=(("lost", 0), ("there", 200)),
        strips=(Strip("m1", "lost", (("a", [(0.0, 1.0), (60.0, 9.0)]),), gasp=30.0),),
        first=0.0,
        last=60.0,
        moment=30.0,
        trace=OtdrTrace([(0.0, 0.0), (9000.0, -3.0)], (), 8000.0),
    )
    for width in (320, 720, 2000):
        svg = draw_line(chart, width=width, language="en")
        assert svg == draw_line(chart, width=width, language="en")
        assert ElementTree.fromstring(svg).get("width") == str(width)
        assert len([c for c in classes(svg) if c.startswith("on-map")]) <= 8
    assert "8 km" in words(draw_line(chart))
