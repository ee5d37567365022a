"""Fibres as the studio lays and measures them: physics that textbooks promise."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from contracts.geo import distance_m
from contracts.sor import parse_sor, taken
from simulators import sor
from simulators.dice import dice
from simulators.lines.fibre import FibreOrder, fibre_take
from simulators.lines.fibre_light import Glass, Instrument, Spot, measure, pulse_m
from simulators.lines.fibre_route import lay

AT = datetime(2026, 6, 1, tzinfo=UTC)
SHOT = sor.Shot(
    at=AT,
    power_db=-np.linspace(1, 40, 3000),
    spacing_m=0.5,
    events=(
        sor.KeyEvent(distance_m=500, loss_db=0.1),
        sor.KeyEvent(distance_m=900, loss_db=20, code="1E9999LS", reflectance_db=-16),
    ),
    front_panel_m=20.0,
    user_offset_m=1000.0,
)
BENCH = Instrument(
    wavelength_nm=1550, pulse_ns=100, spacing_m=1.0, window_m=8000.0, dynamic_db=30.0,
    headroom_db=12.0, linger=1e-5, linger_m=60.0, socket_db=-45.0, level_db=-20.0, rectifies=True,
)  # fmt: skip


def shot(glass: Glass, instrument: Instrument = BENCH) -> tuple[np.ndarray, np.ndarray]:
    level = measure(glass, instrument, 0.2, dice(1, "t"))
    return np.arange(level.size) * instrument.spacing_m, level


def fibre(*spots: Spot, end_m: float = 5000.0, back: float | None = None) -> Glass:
    return Glass(
        end_m=end_m, end_reflectance_db=back, spots=spots, unevenness=(0.0,) * (len(spots) + 1)
    )


def mean(x: np.ndarray, level: np.ndarray, low: float, high: float) -> float:
    return float(np.mean(level[(x >= low) & (x < high)]))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("tenth", [1.0, 0.1])
def test_both_versions_of_the_format_read_back_as_written(version: int, tenth: float) -> None:
    data = sor.encode(msgspec.structs.replace(SHOT, version=version, stored_wavelength=tenth))
    trace = parse_sor(data, "o", AT, AT)
    assert data.startswith(b"Map\0") == (version == 2)
    assert trace.first_m == pytest.approx(-1020, abs=0.02)
    assert trace.spacing_m == pytest.approx(0.5, rel=1e-5)
    assert (trace.wavelength_nm, trace.pulse_ns) == (1550.0, 30.0)
    assert [e.kind for e in trace.events] == ["non_reflective", "end"]
    assert trace.events[1].distance_m == pytest.approx(900, abs=0.02)
    assert trace.events[1].reflectance_db == -16.0 and trace.events[0].reflectance_db is None
    assert np.allclose(trace.power_db, SHOT.power_db, atol=0.001)
    assert taken(data) == AT.timestamp()


def test_a_missing_index_is_assumed_and_its_error_said() -> None:
    known = parse_sor(sor.encode(SHOT), "o", AT, AT)
    bare = parse_sor(sor.encode(msgspec.structs.replace(SHOT, stored_index=0.0)), "o", AT, AT)
    assert bare.spacing_m == pytest.approx(known.spacing_m, rel=bare.scale_error)
    assert bare.scale_error > 10 * known.scale_error


def test_samples_that_were_never_read_out_are_left_off() -> None:
    power = np.array(SHOT.power_db)
    power[2000:] = 0.0
    trace = parse_sor(sor.encode(msgspec.structs.replace(SHOT, power_db=power)), "o", AT, AT)
    assert trace.power_db.size == 2000


def test_backscatter_falls_by_the_fibres_loss_and_steps_at_a_splice() -> None:
    x, level = shot(fibre(Spot(at_m=2500.0, loss_db=0.3)))
    slope = np.polyfit(x[(x > 400) & (x < 2400)] / 1000, level[(x > 400) & (x < 2400)], 1)[0]
    assert slope == pytest.approx(-0.2, abs=0.02)
    drop = mean(x, level, 2300, 2450) - mean(x, level, 2550, 2700)
    assert drop == pytest.approx(0.3 + 0.05, abs=0.04)


def test_a_bend_loses_more_of_the_longer_wave() -> None:
    lost = []
    for nm in (1310, 1550):
        x, level = shot(
            fibre(Spot(at_m=2500.0, loss_db=0.5, bend=True)),
            msgspec.structs.replace(BENCH, wavelength_nm=nm),
        )
        lost.append(mean(x, level, 2300, 2450) - mean(x, level, 2550, 2700))
    assert lost[1] > 3 * lost[0] > 0.5


def test_a_cleaved_end_reflects_and_a_torn_one_does_not() -> None:
    for back, high in ((-14.5, True), (None, False)):
        x, level = shot(fibre(back=back))
        before, there = mean(x, level, 4900, 4980), float(level[(x > 4995) & (x < 5015)].max())
        assert (there > before + 5) == high
        assert mean(x, level, 6500, 7900) < before - 12


def test_a_longer_pulse_sees_further_and_blurs_more() -> None:
    wide = msgspec.structs.replace(BENCH, pulse_ns=1000)
    assert pulse_m(wide) == pytest.approx(102, abs=0.3)
    for instrument, most in ((BENCH, 30), (wide, 250)):
        x, level = shot(fibre(back=-14.5), instrument)
        over = x[level > mean(x, level, 4800, 4950) + 1.0]
        assert 0.6 * pulse_m(instrument) < np.ptp(over[over > 4950]) < most


def test_strong_light_is_cut_off_at_full_scale() -> None:
    _, level = shot(fibre(back=-14.0), msgspec.structs.replace(BENCH, headroom_db=3.0))
    assert level.max() <= BENCH.level_db + 3.01


def test_two_strong_reflections_leave_a_ghost_at_twice_the_way() -> None:
    glass = fibre(end_m=3000.0, back=-14.0)
    instrument = msgspec.structs.replace(BENCH, socket_db=-30.0)
    x, level = shot(glass, instrument)
    assert level[(x > 6000) & (x < 6012)].max() > np.median(level[x > 6100]) + 6
    assert x.size


def test_light_goes_further_than_the_map() -> None:
    route = lay(dice(2, "r"), 12_000.0)
    assert route.light_m == pytest.approx(12_000, abs=1)
    assert 0.003 < route.light_m / route.chainage(route.light_m) - 1 < 0.05
    assert distance_m(route.point(0.0), route.path[0]) < 0.01
    assert distance_m(route.point(route.light_m), route.path[-1]) < 1.0


def test_the_same_seed_is_the_same_take() -> None:
    one, again = (fibre_take(FibreOrder(seed=5, happening="break")) for _ in range(2))
    assert [t.data for t in one.items] == [t.data for t in again.items]
    assert one.truth == again.truth and one.truth.light_m is not None
    assert one.truth.at == one.items[2].at
