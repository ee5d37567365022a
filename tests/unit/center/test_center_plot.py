"""The chart of a water incident: what is on it, and what is said when there is none."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from center.chart import Chart, Fan, Limit, Neighbour, draw
from center.neighbours import Drains
from tests.unit.center.conftest import Client, Serve
from tests.unit.center.scene import Scene
from tests.unit.center.wet import ABOVE, BELOW, SENSOR, drench, rising

SVG = "{http://www.w3.org/2000/svg}"
CHART = Chart(
    title="Flooding d1",
    unit="m",
    points=[(60.0 * k, 0.01 * k) for k in range(60)],
    limits=(Limit("warn", 0.8), Limit("close", 1.0), Limit("rim", 1.2)),
    fan=Fan(4000.0, 4600.0, 6000.0, 1.0),
    rain=[(600.0 * k, 5.0 * k) for k in range(6)],
    neighbours=(
        Neighbour("up", "u1", [(600.0 * k, 10.0 + k) for k in range(6)]),
        Neighbour("down", "d2", [(600.0 * k, 20.0) for k in range(6)]),
    ),
    neighbours_in_percent=True,
    alarm=3000.0,
)


def classes(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [node.get("class", "") for node in root.iter()]


def words(svg: str) -> str:
    root = ElementTree.fromstring(svg)
    return " | ".join(node.text or "" for node in root.iter(f"{SVG}text"))


def test_level_lines_fan_rain_neighbours_and_alarm_are_all_on_the_chart() -> None:
    drawn = classes(draw(CHART))
    for name in ("line", "limit warn", "limit close", "limit rim", "fan", "forecast", "rain"):
        assert name in drawn, name
    assert {"up", "down", "alarm"} <= set(drawn)


@pytest.mark.parametrize(("language", "alarm"), [("zh", "报警 08:50"), ("en", "alarm 08:50")])
def test_the_chart_speaks_the_language_asked_for_in_the_citys_time(
    language: str, alarm: str
) -> None:
    told = words(draw(CHART, zone="Asia/Shanghai", language="zh" if language == "zh" else "en"))
    assert alarm in told


def test_what_is_not_known_is_not_drawn() -> None:
    bare = Chart(title="", unit="m", points=[(0.0, 0.0), (60.0, 0.0)])
    drawn = classes(draw(bare))
    assert "line" in drawn
    assert not {"fan", "rain", "up", "down", "alarm", "limit rim"} & set(drawn)


def test_names_from_outside_never_become_markup() -> None:
    evil = Neighbour("up", "<script>x</script>", [(0.0, 1.0), (60.0, 2.0)])
    chart = Chart(
        title='"><script>', unit="m", points=[(0.0, 0.0), (60.0, 1.0)], neighbours=(evil,)
    )
    svg = draw(chart)
    assert "<script" not in svg
    assert "<script>x</script>" in words(svg)


def test_a_long_series_is_thinned_without_losing_its_peak() -> None:
    points = [(float(k), 5.0 if k == 33_333 else 0.0) for k in range(100_000)]
    svg = draw(Chart(title="", unit="m", points=points), width=400)
    path = ElementTree.fromstring(svg).find(f"{SVG}path[@class='line']")
    assert path is not None
    heights = [float(pair.split()[1]) for pair in path.get("d", "")[1:].split("L")]
    assert len(heights) < 1000
    assert min(heights) < max(heights) - 100


def test_the_next_sensors_up_and_down_are_found_along_the_pipes(scene: Scene) -> None:
    drench(scene)
    drains = Drains(scene.city)
    assert drains.beside(SENSOR, "level") == [("up", ABOVE), ("down", BELOW)]
    assert drains.rim(SENSOR) == pytest.approx(2.2)
    assert drains.sensor_above("p4", "level") == SENSOR
    assert drains.sensor_above("p5", "level") == SENSOR, "none stands at n5: the next above"


@pytest.fixture
def wet(scene: Scene, serve: Serve) -> Client:
    drench(scene)
    scene.happen("flooding", evidence=rising(scene.desk.clock.now()))
    return serve()


@pytest.mark.parametrize("path", ["tickets/t-1", "incidents/i-1", "events/e-flooding-1"])
def test_ticket_incident_and_event_have_the_same_chart(wet: Client, path: str) -> None:
    reply = wet.get(f"/api/v1/{path}/plot.svg?lang=en&width=500")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("image/svg+xml")
    svg = reply.body.decode()
    told = words(svg)
    assert {"line", "fan", "rain", "up", "down", "alarm", "limit rim"} <= set(classes(svg))
    assert f"upstream {ABOVE}" in told
    assert f"downstream {BELOW}" in told
    assert "close 2 m" in told


def test_readings_found_faulty_are_left_out(scene: Scene, wet: Client) -> None:
    for name, one in scene.desk.things["readings"].items():
        if name.endswith(" 90") and one["device"] == SENSOR:
            one.update(value=80.0, quality=["spike"])
    svg = wet.get("/api/v1/events/e-flooding-1/plot.svg").body.decode()
    assert "80" not in words(svg).split(" | ")


def test_without_readings_the_events_own_curve_is_drawn(scene: Scene, serve: Serve) -> None:
    scene.happen("flooding")
    svg = serve().get("/api/v1/events/e-flooding-1/plot.svg").body.decode()
    assert "line" in classes(svg)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("events/nobody/plot.svg", 404, "not_found"),
        ("tickets/t-1/plot.svg", 404, "no_plot"),
        ("tickets/t-1/plot.svg?width=9", 400, "bad_value"),
        ("tickets/t-1/plot.svg?lang=xx", 400, "bad_value"),
        ("tickets/t-1/plot.svg?colour=red", 400, "unknown_parameter"),
    ],
)
def test_what_cannot_be_drawn_is_told_why(
    scene: Scene, serve: Serve, path: str, status: int, error: str
) -> None:
    scene.happen("citizen_report")
    reply = serve().get(f"/api/v1/{path}")
    assert (reply.status, reply.json["error"]) == (status, error)
    assert reply.json["reason"]


def test_a_blocked_pipe_shows_the_sensor_above_it_with_what_it_should_read(
    scene: Scene, serve: Serve
) -> None:
    drench(scene)
    sensors = [
        {"device": BELOW, "side": "below", "expected": 0.9},
        {"device": SENSOR, "side": "above", "expected": 0.3},
    ]
    scene.happen("drain_blocked", evidence={"pipes": [["p5", 0.7]], "sensors": sensors})
    svg = serve().get("/api/v1/tickets/t-1/plot.svg?lang=en").body.decode()
    assert SENSOR in svg[: svg.index("</title>")]
    assert "expected 0.3 m" in words(svg)
    assert f"downstream {BELOW}" in words(svg)


@pytest.mark.parametrize(
    ("kind", "metric", "lines", "said"),
    [
        ("hydrant_no_pressure", "pressure", {"least": 50.0, "usual": None}, "least 50 kPa"),
        ("manhole_cover_displaced", "tilt", {"rest": 1.0, "limit": 6.0}, "at rest 1 °"),
        ("sensor_faulty", "level", {}, "0.9 m"),
    ],
)
def test_other_water_incidents_are_drawn_from_what_they_say(
    scene: Scene, serve: Serve, kind: str, metric: str, lines: dict[str, float], said: str
) -> None:
    curve = rising(scene.desk.clock.now())["curve"][:13]
    evidence = {"metric": metric, "lines": lines, "curve": curve}
    scene.happen(kind, evidence=evidence)
    reply = serve().get("/api/v1/tickets/t-1/plot.svg?lang=en")
    assert reply.status == 200
    assert said in words(reply.body.decode())
