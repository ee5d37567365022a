"""The overhead line in time: demand, strikes, severed spans, and what its monitors say."""

from __future__ import annotations

import math

from contracts.geo import distance_m
from simulators import comtrade
from simulators.dice import between, dice
from simulators.power import Cut, Line, State, behind, clean
from simulators.sensors import Housekeeping, Read, Sensor
from simulators.settings import SimSettings
from simulators.town import Town
from simulators.world import Outgoing, Truth, World, feed, moment

_DEAD_V = 90.0  # below this a meter's own supply fails
_RECORDERS = ("lm-pole-18", "lm-pole-25")
"""Monitors at the far ends that record the wave when a phase falls below ..."""
_RECORDED_SHARE = 0.85
"""... this share of what it was."""
_SOLVE_EVERY_MS = 60_000  # demand wanders slowly; instruments add their own noise
_FELT_M = 130.0  # how far along the conductors a blow is felt
_BLOW, _CRANE = (12.0, 16.0), (60.0, 95.0)
"""Vibration where something hits a span (m/s2, rms): a branch, a crane's boom."""


class OverheadLine:
    """One line with one fault at most. A fault shows in power flow, never in labels."""

    def __init__(self, town: Town, settings: SimSettings, world: World, truth: Truth) -> None:
        self._town, self._settings, self._world, self._truth = town, settings, world, truth
        self._engine = Line(town.feeder)
        self._rng = dice(settings.seed, "line")
        self._cut: Cut | None = None
        self._cut_at = 0
        self._strike: tuple[int, str, float] | None = None
        self._states: dict[tuple[int, Cut | None], State] = {}
        self._gasped: dict[str, int] = {}
        self.sensors = {s.device.id: s for s in self._make_sensors()}

    @property
    def broken(self) -> bool:
        """Whether a span is down."""
        return self._cut is not None or self._strike is not None

    def sever(self, at: int, restored: int, cut: Cut, *, crane: bool = False) -> None:
        """Let something hit `cut.span` seconds before it parts at `at`; spliced at `restored`.

        `crane`: a passing crane's boom, which stands across the road with the cables over it.
        """
        strike = at - round(1000 * between(self._rng, (2.0, 5.0)))
        span = self._town.feeder.network.spans[cut.span]
        blow = between(self._rng, _CRANE if crane else _BLOW)

        def hit(ms: int) -> tuple[Outgoing, ...]:
            self._strike = (ms, cut.span, blow)
            for monitor, node in self._town.feeder.monitors.items():
                if monitor in self._felt(cut.span) and not monitor.startswith("meter"):
                    self.sensors[monitor].now(ms + round(1000 * between(self._rng, (0.05, 0.4))))
                del node
            return ()

        def part(ms: int) -> tuple[Outgoing, ...]:
            self._cut, self._cut_at = cut, ms
            self._gasped.clear()
            whole = len(cut.phases) == 3
            details = {
                "span": cut.span,
                "phases": list(cut.phases),
                "what": "severed" if whole else "phase_open",
                "struck_at": strike,
                "restored_at": restored,
                "nodes_behind": sorted(behind(self._town.feeder, cut.span)),
                "owner": span.owner,
                "owners": [span.owner, *(span.carries if whole else ())],
                "cause": "crane" if crane else "branch",
                "road_blocked": crane,
            }
            self._truth.note(ms, "severed_cable", cut.span, details)
            self._tell(ms)
            return self._records(ms, cut)

        def splice(ms: int) -> tuple[Outgoing, ...]:
            if self._cut is cut:  # nobody mended it before
                self._splice(ms)
            return ()

        self._world.at(strike, hit)
        self._world.at(at, part)
        self._world.at(restored, splice)

    @property
    def down(self) -> str | None:
        """The span that is cut."""
        return self._cut.span if self._cut is not None else None

    def mend(self, ms: int) -> bool:
        """Splice the span before its time; False: none is down."""
        if self._cut is None:
            return False
        self._splice(ms)
        return True

    def _splice(self, ms: int) -> None:
        self._cut, self._strike = None, None
        self._tell(ms)

    def random_cut(self) -> Cut:
        """A span of the main line or the lateral to part; one phase alone in one of five."""
        spans = [s.id for s in self._town.feeder.network.spans.values() if "pole" in s.to]
        spans = [s for s in spans if s not in ("s-pole-01", "s-pole-02")]
        span = spans[int(self._rng.integers(len(spans)))]
        phases = (1, 2, 3) if self._rng.random() < 0.8 else (1 + int(self._rng.integers(3)),)
        return Cut(span, phases)

    def shared_cut(self) -> Cut:
        """A span over the main road where telecom's and TV's cables hang too, with customers
        behind it."""
        feeder = self._town.feeder
        spans = [
            s.id
            for s in feeder.network.spans.values()
            if s.carries and len(behind(feeder, s.id) & feeder.loads.keys()) >= 2
        ]
        return Cut(spans[int(self._rng.integers(len(spans)))])

    def _tell(self, ms: int) -> None:
        """Monitors report a change of voltage at once."""
        for sensor in self.sensors.values():
            sensor.now(ms + round(1000 * between(self._rng, (0.08, 0.9))))

    def _records(self, ms: int, cut: Cut) -> tuple[Outgoing, ...]:
        """Disturbance records, sent some seconds after the loss."""
        minute = ms // _SOLVE_EVERY_MS * _SOLVE_EVERY_MS
        parted = self._state(ms)
        intact = self._engine.solve(None, _demand(minute))
        found = []
        for id in _RECORDERS:
            node = self._town.feeder.monitors[id]
            before, after = intact.volts[node], parted.volts[node]
            if min(b / a for a, b in zip(before, after, strict=True)) < _RECORDED_SHARE:
                rng = dice(self._settings.seed, "record", id, ms)
                sent = ms + round(1000 * between(rng, (3.0, 6.0)))
                found.append(
                    Outgoing(
                        at=sent,
                        gateway=self._town.gateways[id],
                        topic=feed(self._town.devices[id].district, id, "record", sent),
                        payload=comtrade.shoot(node, moment(ms), before, after, rng),
                        file="zip",
                    )
                )
        return tuple(found)

    def _state(self, ms: int) -> State:
        key = (ms // _SOLVE_EVERY_MS, self._cut)
        if key not in self._states:
            if len(self._states) > 800:
                self._states.clear()
            self._states[key] = self._engine.solve(self._cut, _demand(key[0] * _SOLVE_EVERY_MS))
        return self._states[key]

    def _felt(self, span: str) -> dict[str, float]:
        """Monitors near a span → how much of a blow reaches them, 0..1."""
        spans, nodes = self._town.feeder.network.spans, self._town.feeder.network.nodes
        ends = [nodes[spans[span].from_].point, nodes[spans[span].to].point]
        found = {}
        for monitor, node in self._town.feeder.monitors.items():
            far = min(distance_m(nodes[node].point, end) for end in ends)
            if far < _FELT_M:
                found[monitor] = math.exp(-far / 60)
        return found

    def _vibration(self, monitor: str, ms: int) -> float:
        rng = self._rng
        wind = 0.05 + 0.02 * math.sin(ms / 47_000) + 0.012 * math.sin(ms / 9_100)
        shake = abs(wind + float(rng.normal(0, 0.012)))
        if self._strike:
            since = (ms - self._strike[0]) / 1000
            reach = self._felt(self._strike[1]).get(monitor, 0.0)
            if reach and since >= 0:
                shake += self._strike[2] * reach * math.exp(-since / 6.0) * between(rng, (0.7, 1.0))
        return round(shake, 3)

    def _make_sensors(self) -> list[Sensor]:
        found = []
        for monitor, node in self._town.feeder.monitors.items():
            device = self._town.devices[monitor]
            reader = self._meter if device.type == "meter" else self._monitor
            found.append(
                Sensor(
                    device,
                    self._town.gateways[monitor],
                    reader(monitor, node),
                    self._world,
                    self._settings,
                    every_s=device.reports_every_s or 10.0,
                )
            )
        return found

    def _monitor(self, id: str, node: str) -> Read:
        rng, house = dice(self._settings.seed, "pole", id), Housekeeping(self._settings.seed, id)

        def read(ms: int) -> dict[str, float]:
            state = self._state(ms)
            values: dict[str, float] = {}
            for k, letter in enumerate("abc"):
                volts = state.volts[node][k]
                noise = float(rng.normal(0, 0.25)) if volts > 5 else abs(float(rng.normal(0, 0.3)))
                values[f"voltage_{letter}"] = clean(volts + noise, 1)
                amps = state.amps[node][k] * (1 + float(rng.normal(0, 0.01)))
                values[f"current_{letter}"] = clean(amps, 2)
            values["vibration"] = self._vibration(id, ms)
            values["temperature"] = house.temperature(ms)
            values["battery"] = house.battery()
            return values

        return read

    def _meter(self, id: str, node: str) -> Read:
        rng = dice(self._settings.seed, "meter", id)
        phases = self._town.feeder.loads[node].phases

        def read(ms: int) -> dict[str, float] | None:
            seen = [self._state(ms).volts[node][p - 1] for p in phases]
            values = {
                f"voltage_{' abc'[p]}": clean(v + float(rng.normal(0, 0.3)), 1)
                for p, v in zip(phases, seen, strict=True)
            }
            if max(seen) >= _DEAD_V:
                return {**values, "last_gasp": 0.0}
            if id in self._gasped:
                return None  # its capacitor is empty
            self._gasped[id] = ms
            if rng.random() < 0.12:
                return None  # some last gasps drown in the others' radio
            return {**values, "last_gasp": 1.0}

        return read


def _demand(ms: int) -> float:
    """Share of the rated demand: an evening peak, a smaller one at noon, slow wandering."""
    hour = (ms / 3_600_000 + 8) % 24
    day = (
        0.45
        + 0.35 * math.exp(-(((hour - 20) / 2.6) ** 2))
        + 0.18 * math.exp(-(((hour - 12) / 1.8) ** 2))
    )
    return day * (1 + 0.03 * math.sin(ms / 131_000) + 0.02 * math.sin(ms / 41_000))
