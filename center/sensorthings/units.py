"""What is measured and in which unit, as SensorThings wants them: with names and definitions.

Definitions are terms of QUDT 2.1 (qudt.org/vocab) where it has one, else a URN of ours.
"""

from __future__ import annotations

from typing import Any, Final

from contracts.kinds import METRICS

QUDT: Final = "http://qudt.org/vocab/"
UNITS: Final[dict[str, tuple[str, str | None]]] = {
    "m": ("metre", "M"),
    "m3/s": ("cubic metre per second", "M3-PER-SEC"),
    "m/s": ("metre per second", "M-PER-SEC"),
    "m/s2": ("metre per square second", "M-PER-SEC2"),
    "mm/h": ("millimetre per hour", "MilliM-PER-HR"),
    "kPa": ("kilopascal", "KiloPA"),
    "degree": ("degree", "DEG"),
    "V": ("volt", "V"),
    "A": ("ampere", "A"),
    "N": ("newton", "N"),
    "dBm": ("decibel over one milliwatt", "DeciB_M"),
    "lx": ("lux", "LUX"),
    "dB(A)": ("A-weighted decibel", None),
    "degC": ("degree Celsius", "DEG_C"),
    "1": ("one", "UNITLESS"),
}
"""Unit of `contracts.kinds.METRICS` → name, QUDT's term."""
SYMBOLS: Final = {"degree": "°", "degC": "°C", "m3/s": "m³/s", "m/s2": "m/s²"}
PROPERTIES: Final[dict[str, tuple[str, str | None]]] = {
    "level": ("水位：管渠底以上水深 / Water level above the invert", "Depth"),
    "depth": ("积水深度：路面以上 / Depth of water over the road", "Depth"),
    "flow": ("流量 / Discharge", "VolumeFlowRate"),
    "velocity": ("流速 / Velocity of flow", "Velocity"),
    "rain_rate": ("雨强 / Rain rate", "Velocity"),
    "rain_forecast": ("预报雨强 / Forecast rain rate", "Velocity"),
    "pressure": ("水压 / Pressure", "Pressure"),
    "tilt": ("倾角 / Tilt", "Angle"),
    "tilt_x": ("X 向倾角 / Tilt about x", "Angle"),
    "tilt_y": ("Y 向倾角 / Tilt about y", "Angle"),
    "tension": ("张力 / Tension", "Force"),
    "vibration": ("振动加速度有效值 / Vibration, rms", "Acceleration"),
    "optical_power": ("光功率 / Optical power", "Power"),
    "lamp_current": ("路灯电流 / Current of a lamp", "ElectricCurrent"),
    "lux": ("照度 / Illuminance", "Illuminance"),
    "sound_level": ("声级 / Sound level", "SoundPressureLevel"),
    "temperature": ("温度 / Temperature", "Temperature"),
    "battery": ("电池电压 / Battery voltage", "Voltage"),
    "last_gasp": ("断电末次告警（0 或 1）/ Last gasp of a device losing power, 0 or 1", None),
    **{f"voltage_{p}": (f"{p.upper()} 相电压 / Voltage of phase {p}", "Voltage") for p in "abcn"},
    **{
        f"current_{p}": (f"{p.upper()} 相电流 / Current of phase {p}", "ElectricCurrent")
        for p in "abcn"
    },
}
"""Metric → what it is, QUDT's kind of quantity."""


def unit_of(metric: str) -> dict[str, str | None]:
    """`unitOfMeasurement`; all null where a device's own metric tells no unit (18-088, 8.2.4)."""
    unit = METRICS.get(metric)
    if unit is None:
        return {"name": None, "symbol": None, "definition": None}
    name, term = UNITS[unit]
    definition = f"urn:gridsentry:unit:{unit}" if term is None else f"{QUDT}unit/{term}"
    return {"name": name, "symbol": SYMBOLS.get(unit, unit), "definition": definition}


def property_of(metric: str) -> dict[str, Any]:
    """Name, definition and description of an ObservedProperty."""
    said, term = PROPERTIES.get(metric, (f"设备自有指标 / A device's own metric: {metric}", None))
    definition = f"urn:gridsentry:metric:{metric}" if term is None else f"{QUDT}quantitykind/{term}"
    return {"name": metric, "definition": definition, "description": said}
