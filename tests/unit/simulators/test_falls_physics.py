"""How things fall in the studio, against what can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulators.falls.lens import Lens, look
from simulators.falls.physics import BODIES, GRAVITY, STEP_S, Body, Thing, fly


def body(name: str) -> Body:
    return next(b for b in BODIES if b.name == name)


def test_without_air_it_falls_as_galileo_says() -> None:
    flight = fly((3.0, 45.0, 0.2), (0.5, 1.0, 2.0), 0.0)
    t = np.arange(len(flight.places)) * STEP_S
    assert np.allclose(flight.places[:, 0], 3.0 + 0.5 * t, atol=1e-9)
    assert np.allclose(flight.places[:, 1], 45.0 + t - GRAVITY * t**2 / 2, atol=1e-6)
    assert np.allclose(flight.places[:, 2], 0.2 + 2.0 * t, atol=1e-9)
    landing = (1 + math.sqrt(1 + 2 * GRAVITY * 45.0)) / GRAVITY
    assert flight.landed
    assert flight.seconds == pytest.approx(landing, abs=STEP_S)


def test_from_rest_it_slows_down_as_the_closed_solution_says() -> None:
    k = 0.03
    flight = fly((0.0, 90.0, 1.0), (0.0, 0.0, 0.0), k)
    t = np.arange(len(flight.places)) * STEP_S
    end = math.sqrt(GRAVITY / k)
    fallen = end**2 / GRAVITY * np.log(np.cosh(GRAVITY * t / end))
    assert np.allclose(flight.places[:, 1], 90.0 - fallen, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("tissue", 0.6, 1.6),  # a hand-high drop takes about a second a metre
        ("paper", 0.9, 2.2),
        ("cloth", 2.0, 5.0),
        ("bottle", 10.0, 20.0),
        ("brick", 30.0, 50.0),
        ("steel nut", 30.0, 60.0),
    ],
)
def test_everyday_things_reach_the_speed_they_are_known_for(
    name: str, low: float, high: float
) -> None:
    assert low < Thing(body=body(name), scale=1.0).terminal_m_s < high


def test_a_tissue_comes_down_at_its_terminal_speed_and_sways() -> None:
    tissue = Thing(body=body("tissue"), scale=1.0)
    flight = fly(
        (5.0, 30.0, 1.0),
        (0.0, 0.0, 0.5),
        tissue.drag_per_m,
        flutter=tissue.body.flutter,
        rhythm=(0.0, 0.0, 0.7),
    )
    second = round(1 / STEP_S)
    speeds = -np.diff(flight.places[:, 1]) / STEP_S
    assert np.mean(speeds[2 * second :]) == pytest.approx(tissue.terminal_m_s, rel=0.2)
    sideways = np.diff(flight.places[2 * second :, 0]) / STEP_S
    turns = np.count_nonzero(np.diff(np.sign(sideways)))
    assert turns >= 6


def test_wind_carries_the_light_further_than_the_heavy() -> None:
    def drift(name: str) -> float:
        k = Thing(body=body(name), scale=1.0).drag_per_m
        return float(fly((0.0, 30.0, 1.0), (0, 0, 0), k, wind=(3.0, 0, 0)).places[-1, 0])

    assert drift("cloth") > 3 * drift("bottle") > 10 * drift("brick") > 0


def test_nothing_flies_into_the_wall() -> None:
    k = Thing(body=body("cloth"), scale=1.0).drag_per_m
    flight = fly((0.0, 40.0, 0.2), (0.0, 0.0, -0.5), k, wind=(0.0, 0.0, -4.0))
    assert flight.places[:, 2].min() >= 0.05


def test_a_body_tumbles_with_the_mean_silhouette_of_its_surface() -> None:
    sphere = Body(name="ball", size_m=(0.2, 0.2, 0.2), mass_kg=1.0, drag=0.5, form="round")
    assert Thing(body=sphere, scale=1.0).silhouette_m2 == pytest.approx(math.pi * 0.01, rel=1e-3)
    cube = Body(name="cube", size_m=(0.2, 0.2, 0.2), mass_kg=1.0, drag=1.0)
    assert Thing(body=cube, scale=2.0).silhouette_m2 == pytest.approx(6 * 0.16 / 4)


@pytest.mark.parametrize("k1", [-0.2, 0.0, 0.08])
def test_the_lens_finds_back_to_the_wall_what_it_projects(k1: float) -> None:
    lens = Lens(
        size=(1280, 720),
        focal_px=900.0,
        place=(4.0, 2.0, 30.0),
        axes=look(0.2, 0.5, 0.02),
        k1=k1,
    )
    wall = np.array([[u, v, 0.0] for u in (0.0, 9.0, 18.0) for v in (8.0, 18.0, 26.0)])
    pixels = lens.project(wall)
    assert np.allclose(lens.on_facade(pixels), wall[:, :2], atol=1e-3)
    ahead = lens.project(np.array(lens.place) + 10 * np.array(lens.axes[2]))
    assert np.allclose(ahead, (640, 360))


def test_what_is_behind_the_camera_is_not_in_the_picture() -> None:
    lens = Lens(size=(640, 360), focal_px=500.0, place=(0.0, 2.0, 20.0), axes=look(0, 0.3, 0))
    assert np.all(np.isnan(lens.project(np.array([0.0, 2.0, 40.0]))))
