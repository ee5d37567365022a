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

_SPELT: Final[dict[str, str]] = {
    # how gateways write some of them, in small letters
    **dict.fromkeys(("metre", "metres", "meter", "meters"), "m"),
    **dict.fromkeys(("centimetre", "centimetres", "centimeter", "centimeters"), "cm"),
    **dict.fromkeys(("millimetre", "millimetres", "millimeter", "millimeters"), "mm"),
    **dict.fromkeys(("inch", "inches"), "in"), **dict.fromkeys(("foot", "feet"), "ft"),
    **dict.fromkeys(("degc", "deg c", "celsius", "℃", "degree celsius", "degrees celsius",
                     "deg_c", "摄氏度"), "Cel"),
    **dict.fromkeys(("degf", "deg f", "fahrenheit", "℉", "deg_f"), "°F"),
    **dict.fromkeys(("kelvin",), "K"), **dict.fromkeys(("degrees", "度"), "deg"),
    **dict.fromkeys(("volt", "volts", "伏"), "V"),
    **dict.fromkeys(("millivolt", "millivolts"), "mV"),
    **dict.fromkeys(("amp", "amps", "ampere", "amperes", "安"), "A"),
    **dict.fromkeys(("m³/s", "m^3/s", "cms"), "m3/s"), **dict.fromkeys(("m³/h", "m^3/h"), "m3/h"),
    **dict.fromkeys(("lps",), "l/s"), **dict.fromkeys(("lpm",), "l/min"),
    **dict.fromkeys(("mm/hr", "mm/hour"), "mm/h"), **dict.fromkeys(("kph", "km/hr"), "km/h"),
    **dict.fromkeys(("dba", "db(a)", "dbspl"), "dB(A)"), "newton": "N", "m/s²": "m/s2",
    "m/s^2": "m/s2", "米": "m", "厘米": "cm", "毫米": "mm", "千帕": "kPa", "兆帕": "MPa",
}  # fmt: skip
_SMALL: Final = {symbol.lower(): symbol for symbol in KNOWN if symbol != "kN"}
"""But for kn: those are knots."""


def conversion(unit: str) -> tuple[float, float] | None:
    """(factor, offset) from `unit`, spelt exactly so (kN is force, kn is not), to ours."""
    found = _TO_SI.get(unit)
    return None if found is None else found[1:]


def spelt(unit: str) -> str | None:
    """The unit of `KNOWN` that is meant, as it is spelt first, then whatever its letters and by
    its long name; None: none that we know."""
    name = unit.strip()
    if name in _TO_SI:
        return name
    small = name.lower()
    return _SPELT.get(small) or _SMALL.get(small)


def in_ours(value: float, unit: str | None) -> float:
    """A value told in `unit` as we tell it: lengths in m, rain in mm/h, pressure in kPa, angles in
    degrees, temperatures in °C, the rest in SI. A unit we do not know leaves it as it is."""
    if unit is None:
        return value
    factor, offset = conversion(unit) or (1.0, 0.0)
    if factor == 1.0 and offset == 0.0:
        return value
    return float(f"{value * factor + offset:.12g}")  # 1013 hPa are 101.3 kPa, not ….30000000000001


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
