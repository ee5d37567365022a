"""An OpenDSS circuit as its engine understands it: buses, lines, transformers, loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.errors import Wrong

XY = tuple[float, float]
METRES: Final = {1: 1609.344, 2: 304.8, 3: 1000.0, 4: 1.0, 5: 0.3048, 6: 0.0254, 7: 0.01}
"""OpenDSS's LineUnits: mi, kft, km, m, ft, in, cm; 0 is none."""
SWITCHING: Final = ("SwtControls", "Fuses", "Reclosers", "Relays")


class DssLine(msgspec.Struct, frozen=True):
    """A line, or a switch, between two buses."""

    name: str
    start: str
    end: str
    phases: str
    """Of `abcn`."""
    length_m: float | None
    """None: it does not say in which unit."""
    switch: bool
    open: bool
    """A terminal of it is open, or it is disabled."""


class Joint(msgspec.Struct, frozen=True):
    """A transformer, regulator or series reactor: buses at one place."""

    name: str
    buses: tuple[str, ...]
    kvs: tuple[float, ...]
    """Rated voltage between phases by bus; empty for a reactor."""


class Load(msgspec.Struct, frozen=True):
    """A load."""

    name: str
    bus: str
    kw: float
    phases: str


class Circuit(msgspec.Struct, frozen=True):
    """What was read; names in lower case, as OpenDSS has them."""

    name: str
    source: str
    source_kv: float
    buses: dict[str, XY | None]
    lines: tuple[DssLine, ...]
    joints: tuple[Joint, ...]
    loads: tuple[Load, ...]


def read_circuit(master: Path, coordinates: Path | None = None) -> Circuit:
    """The circuit in `master`, with bus coordinates out of its own scripts or that file.

    Raises Wrong when a file is not there, OpenDSS is not installed, or it refuses the script (with
    its own words, which name file and line).
    """
    for what, path in (("MASTER.dss", master), ("--coords", coordinates)):
        if path is not None and not path.is_file():
            raise Wrong(what, f"there is no file {path}", "a file that can be read")
    dss = _engine()
    _do(dss, master, f'compile "{master.resolve()}"')
    if not dss.Circuit.NumBuses():
        _do(dss, master, "makebuslist")
    if not dss.Circuit.NumBuses():
        raise Wrong(
            str(master), "no circuit in it", "a master script: `new circuit.…`, lines, loads"
        )
    if coordinates is not None:
        _do(dss, coordinates, f'buscoords "{coordinates.resolve()}"')
    try:
        return _circuit(dss)
    except Exception as error:
        raise _refused(master, error) from error


def _circuit(dss: Any) -> Circuit:
    dss.Vsources.First()
    source = _bus(dss.CktElement.BusNames()[0])
    buses = dict(_buses(dss))
    lines, joints, loads = tuple(_lines(dss)), tuple(_joints(dss)), tuple(_loads(dss))
    used = [bus for one in lines if not one.open for bus in (one.start, one.end)]
    used += [bus for joint in joints for bus in joint.buses] + [load.bus for load in loads]
    for bus in used:  # the engine lists those alone that were there when it last solved
        buses.setdefault(bus, None)
    return Circuit(
        name=str(dss.Circuit.Name()),
        source=source,
        source_kv=float(dss.Vsources.BasekV()),
        buses=buses,
        lines=lines,
        joints=joints,
        loads=loads,
    )


def _engine() -> Any:
    try:
        import opendssdirect
    except ImportError as error:
        raise Wrong(
            "OpenDSS", "opendssdirect.py is not installed", "pip install 'gridsentry[town]'"
        ) from error
    dss = opendssdirect.NewContext()
    dss.Basic.AllowForms(False)
    dss.Basic.AllowChangeDir(False)
    return dss


def _do(dss: Any, path: Path, command: str) -> None:
    """One command; what the engine says against it becomes Wrong."""
    try:
        dss.Text.Command(command)
    except Exception as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> Exception:
    """What the engine said, as Wrong; any other error as it is."""
    if type(error).__name__ != "DSSException":  # the engine's one error class, not always there
        return error
    said = " ".join(str(error.args[-1] if error.args else error).split())
    return Wrong(str(path), f"OpenDSS: {said[:400]}", "a script that OpenDSS takes")


def _buses(dss: Any) -> Iterator[tuple[str, XY | None]]:
    for name in dss.Circuit.AllBusNames():
        dss.Circuit.SetActiveBus(name)
        there = bool(dss.Bus.Coorddefined())
        yield str(name).lower(), (float(dss.Bus.X()), float(dss.Bus.Y())) if there else None


def _lines(dss: Any) -> Iterator[DssLine]:
    switched = set(_switched(dss))
    for name in dss.Lines.AllNames():
        dss.Lines.Name(name)
        full = f"line.{name}".lower()
        buses = [_bus(b) for b in dss.CktElement.BusNames()]
        unit = METRES.get(int(dss.Lines.Units()))
        shut = bool(dss.CktElement.Enabled()) and not any(
            dss.CktElement.IsOpen(terminal, 0) for terminal in (1, 2)
        )
        yield DssLine(
            name=str(name).lower(),
            start=buses[0],
            end=buses[1],
            phases=_phases(dss),
            length_m=float(dss.Lines.Length()) * unit if unit is not None else None,
            switch=bool(dss.Lines.IsSwitch()) or full in switched,
            open=not shut,
        )


def _switched(dss: Any) -> Iterator[str]:
    """Elements that a switch, fuse, recloser or relay opens."""
    for kind in SWITCHING:
        controls = getattr(dss, kind)
        more = controls.First()
        while more:
            yield str(controls.SwitchedObj()).lower()
            more = controls.Next()


def _joints(dss: Any) -> Iterator[Joint]:
    for name in dss.Transformers.AllNames():
        dss.Transformers.Name(name)
        if not dss.CktElement.Enabled():
            continue
        buses = [_bus(b) for b in dss.CktElement.BusNames()]
        single = int(dss.CktElement.NumPhases()) == 1
        kvs = []
        for winding in range(1, len(buses) + 1):
            dss.Transformers.Wdg(winding)
            # one phase in star is rated to neutral, all others between phases
            star = single and not dss.Transformers.IsDelta()
            kvs.append(float(dss.Transformers.kV()) * (3**0.5 if star else 1.0))
        yield Joint(str(name).lower(), tuple(buses), tuple(kvs))
    more = dss.Circuit.SetActiveClass("reactor") and dss.ActiveClass.First()
    while more:
        buses = [_bus(b) for b in dss.CktElement.BusNames()]
        if dss.CktElement.Enabled() and len(set(buses)) == 2:
            yield Joint(str(dss.CktElement.Name()).lower(), tuple(buses), ())
        more = dss.ActiveClass.Next()


def _loads(dss: Any) -> Iterator[Load]:
    for name in dss.Loads.AllNames():
        dss.Loads.Name(name)
        if dss.CktElement.Enabled():
            bus = _bus(dss.CktElement.BusNames()[0])
            yield Load(str(name).lower(), bus, float(dss.Loads.kW()), _phases(dss))


def _phases(dss: Any) -> str:
    """Of the active element's first terminal, in order, each once: as its bus says (`b7.1.3`), else
    the first ones. The engine's own node order is not there for what is disabled or was added after
    the last solution."""
    _, *told = str(dss.CktElement.BusNames()[0]).split(".")
    nodes = {int(n) for n in told} if told else set(range(1, int(dss.CktElement.NumPhases()) + 1))
    return "".join("abcn"[n - 1] for n in sorted(nodes) if 1 <= n <= 4)


def _bus(spec: object) -> str:
    return str(spec).partition(".")[0].lower()
