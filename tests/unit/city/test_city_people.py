"""A city without an app can be told things all the same."""

from __future__ import annotations

from contracts.city import Device, Grid
from contracts.geo import Point
from gridsentry.city.people import with_app

GRID = Grid(
    id="g", name="g", level="grid", rings=((((118.0, 26.0), (118.1, 26.0), (118.1, 26.1)),),)
)


def one(id: str, type: str) -> Device:
    return Device(id=id, district="d-7", type=type, point=Point(118.05, 26.05))


def test_without_an_app_reports_come_from_the_web_page() -> None:
    devices = with_app({"lv-1": one("lv-1", "drain")}, [GRID])
    assert list(devices) == ["lv-1", "web"]
    assert (devices["web"].type, devices["web"].district) == ("app", "d-7")


def test_an_app_of_its_own_is_enough() -> None:
    assert list(with_app({"wx": one("wx", "MiniProgram")}, [GRID])) == ["wx"]


def test_a_city_of_grids_alone_can_be_told_too() -> None:
    assert with_app({}, [GRID])["web"].point == Point(118.0, 26.0)
