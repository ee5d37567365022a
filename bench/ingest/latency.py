"""From a flood's message to its ticket on a screen, while telemetry goes on around it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable

import msgspec

from bench.ingest import load, machine
from bench.ingest.pour import Pourer
from bench.ingest.stage import Service, Stage, serving
from contracts.clock import epoch_ms, monotonic

RATE = 1000
"""Messages a second in the background."""
BEAT_S = 0.01
WARM_S = 3.0
GAP_S = 0.15
"""Between two floods: each is its own incident at its own place."""
PATIENCE_S = 10.0


class Latency(msgspec.Struct):
    """One run: seconds from publish to the stream's `ticket` event, one for each flood."""

    seconds: list[float]
    missing: int
    service_share: float
    """Of its core, how much the service used at this rate."""


class Screen(threading.Thread):
    """Reads the live stream as a browser does, and notes when each place's ticket appeared."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", "/api/v1/stream", headers={"Accept": "text/event-stream"})
        self._answer = self._connection.getresponse()
        self.seen: dict[tuple[float, float], float] = {}

    def run(self) -> None:
        kind = ""
        while True:
            try:
                line = self._answer.readline()
            except (OSError, ValueError, AttributeError):  # closed under us: the run is over
                return
            if not line:
                return
            now = monotonic()
            if line.startswith(b"event:"):
                kind = line[6:].strip().decode()
            elif line.startswith(b"data:") and kind == "ticket":
                spot = json.loads(line[5:])["data"]["place"]
                self.seen.setdefault((round(spot["lon"], 6), round(spot["lat"], 6)), now)

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def streets(run: int, floods: int) -> range:
    """The streets that this run floods: each once, or its ticket would be open already.

    Raises ValueError when there are not enough; the other half sends the background.
    """
    found = range(run * floods, (run + 1) * floods)
    if found.stop > load.DEVICES // 2:
        raise ValueError(f"{run + 1} runs of {floods} floods are more than there are streets")
    return found


def measure(stage: Stage, flooded: range, told: Callable[[int], None]) -> Latency:
    """Start the service, keep the background going, flood one street after the other."""
    with serving(stage) as service:
        screen = Screen(service.port)
        screen.start()
        with Pourer(stage.host, stage.port, "bench-latency") as pourer:
            return _run(stage, service, screen, pourer, flooded, told)


def _run(
    stage: Stage,
    service: Service,
    screen: Screen,
    pourer: Pourer,
    flooded: range,
    told: Callable[[int], None],
) -> Latency:
    published: dict[tuple[float, float], float] = {}
    began = monotonic()
    used = machine.cpu_s(service.pid)
    sent = 0
    beat = 0
    flood_at = began + WARM_S
    while len(published) < len(flooded):
        beat += 1
        pause = began + beat * BEAT_S - monotonic()
        if pause > 0:
            stage.clock.sleep(pause)
        now_ms = epoch_ms(stage.clock.now())
        due = int((monotonic() - began) * RATE) - sent
        pourer.send(load.live(sent + i, now_ms) for i in range(due))
        sent += due
        if monotonic() >= flood_at:
            number = flooded[len(published)]
            message = load.single(number, load.WATCHED, load.FLOOD_M, now_ms + 1, beat)
            published[load.place(number)] = monotonic()
            pourer.send([(load.topic(number), message)])
            flood_at += GAP_S
            told(len(published))
    share = (machine.cpu_s(service.pid) - used) / (monotonic() - began)
    until = monotonic() + PATIENCE_S
    while not published.keys() <= screen.seen.keys() and monotonic() < until:
        stage.clock.sleep(0.05)
    took = [screen.seen[spot] - at for spot, at in published.items() if spot in screen.seen]
    return Latency(took, len(published) - len(took), share)


__all__ = ["Latency", "Screen", "measure", "streets"]
