"""Units as gateways write them, turned into ours (SI, and the few of `contracts.kinds.METRICS`)."""

from __future__ import annotations

import math
from typing import Final

from contracts.kinds import METRICS

_TO_SI: Final[dict[str, tuple[str, float, float]]] = {
    # symbol: (what it is told in here, factor, offset); SenML units of RFC 8428 and RFC 8798,
    # and how data sheets write them
    "m": ("m", 1.0, 0.0),
    "km": ("m", 1e3, 0.0),
    "dm": ("m", 0.1, 0.0),
    "cm": ("m", 0.01, 0.0),
    "mm": ("m", 1e-3, 0.0),
    "ft": ("m", 0.3048, 0.0),
    "in": ("m", 0.0254, 0.0),
    "m/s": ("m/s", 1.0, 0.0),
    "km/h": ("m/s", 1 / 3.6, 0.0),
    "m3/s": ("m3/s", 1.0, 0.0),
    "m3/h": ("m3/s", 1 / 3600, 0.0),
    "l/s": ("m3/s", 1e-3, 0.0),
    "l/min": ("m3/s", 1e-3 / 60, 0.0),
    "mm/h": ("mm/h", 1.0, 0.0),
    "mm/min": ("mm/h", 60.0, 0.0),
    "Pa": ("kPa", 1e-3, 0.0),
    "hPa": ("kPa", 0.1, 0.0),
    "mbar": ("kPa", 0.1, 0.0),
    "kPa": ("kPa", 1.0, 0.0),
    "MPa": ("kPa", 1e3, 0.0),
    "bar": ("kPa", 100.0, 0.0),
    "psi": ("kPa", 6.894757293, 0.0),
    "deg": ("degree", 1.0, 0.0),
    "°": ("degree", 1.0, 0.0),
    "degree": ("degree", 1.0, 0.0),
    "rad": ("degree", 180 / math.pi, 0.0),
    "V": ("V", 1.0, 0.0),
    "mV": ("V", 1e-3, 0.0),
    "kV": ("V", 1e3, 0.0),
    "A": ("A", 1.0, 0.0),
    "mA": ("A", 1e-3, 0.0),
    "kA": ("A", 1e3, 0.0),
    "N": ("N", 1.0, 0.0),
    "kN": ("N", 1e3, 0.0),
    "m/s2": ("m/s2", 1.0, 0.0),
    "mm/s2": ("m/s2", 1e-3, 0.0),
    "g0": ("m/s2", 9.80665, 0.0),
    "gn": ("m/s2", 9.80665, 0.0),
    "dBm": ("dBm", 1.0, 0.0),
    "dBW": ("dBm", 1.0, 30.0),
    "lx": ("lx", 1.0, 0.0),
    "lux": ("lx", 1.0, 0.0),
    "klx": ("lx", 1e3, 0.0),
    "dB(A)": ("dB(A)", 1.0, 0.0),
    "Cel": ("degC", 1.0, 0.0),
    "°C": ("degC", 1.0, 0.0),
    "C": ("degC", 1.0, 0.0),
    "K": ("degC", 1.0, -273.15),
    "°F": ("degC", 5 / 9, -160 / 9),
    "F": ("degC", 5 / 9, -160 / 9),
}

KNOWN: Final = tuple(_TO_SI)
"""Every unit that can be turned into ours."""


def conversion(unit: str) -> tuple[float, float] | None:
    """(factor, offset) from `unit`, spelt exactly so (kN is force, kn is not), to ours."""
    found = _TO_SI.get(unit)
    return None if found is None else found[1:]


def in_ours(value: float, unit: str | None) -> float:
    """A value told in `unit` as we tell it: lengths in m, rain in mm/h, pressure in kPa, angles in
    degrees, temperatures in °C, the rest in SI. A unit we do not know leaves it as it is."""
    if unit is None:
        return value
    factor, offset = conversion(unit) or (1.0, 0.0)
    return value * factor + offset


def known(unit: str) -> bool:
    """Whether values in this unit can be turned into ours."""
    return unit in _TO_SI


def ours(unit: str) -> str | None:
    """What a value in `unit` is told in here; None: a unit we do not know."""
    found = _TO_SI.get(unit)
    return None if found is None else found[0]


def fits(metric: str, unit: str) -> bool:
    """Whether that unit can be the one of this metric, for all we know of the two."""
    wanted = METRICS.get(metric)
    told = ours(unit)
    return wanted is None or told is None or told == wanted
