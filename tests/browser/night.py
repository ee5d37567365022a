"""A night on the real service: broker, database, the simulated town, and people's browsers."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from center.notify.passes import Passes
from center.pages.resident.codes import Codes
from center.pages.resident.spots import spots
from center.settings import CenterSettings
from contracts.clock import SystemClock
from contracts.kinds import OPEN_STAGES
from contracts.spots import Spot
from gridsentry.city.load import load_city
from gridsentry.secret import kept_secret
from simulators.town import build, write_city
from store.embedded import EmbeddedPostgres
from tests.brokers import Mosquitto
from tests.rig import ROOT, Stage, eventually
from tests.servers import fresh_database, pg_server

SEED = 5
ONCE = ("throw_every_s", "cable_every_s", "storm_every_s", "fibre_first_s", "cover_first_s",
        "hydrant_first_s")  # fmt: skip
"""Set to 0: after the first throw, flooding and severed cable nothing else comes."""
EARS = """
    window.tones = [];
    const make = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () {
        const tone = make.call(this), start = tone.start;
        tone.start = (at) => { window.tones.push(tone.frequency.value); start.call(tone, at); };
        return tone;
    };
"""
"""Installed before the page: what its loudspeaker is told to sound."""
LOADED_MS = 40_000
"""For what the service, the simulators and a browser do together on a loaded machine."""


class Night:
    """The service is up; the town sleeps until `begin`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.service = stage.service()
        self.url = f"http://127.0.0.1:{self.service.port}"
        self._town: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """The gateways go live; water, a torn cable and a throw come within half a minute."""
        if self._town is not None:
            return
        command = [
            sys.executable, "-m", "gridsentry", "simulate",
            "--broker", f"mqtt://127.0.0.1:{self.stage.port}", "--seed", str(SEED),
            "--warm", "1h", "--set", "cameras=1", *(w for n in ONCE for w in ("--set", f"{n}=0")),
        ]  # fmt: skip
        with (self.stage.folder / "town.log").open("ab") as log:
            self._town = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self.stage.ends.callback(self._sleep)

    def _sleep(self) -> None:
        assert self._town is not None
        self._town.terminate()
        try:
            self._town.wait(5)
        except subprocess.TimeoutExpired:
            self._town.kill()
            self._town.wait()

    def ticket(self, kind: str) -> dict[str, Any]:
        """The night's ticket of that kind (of a shared pole: the whole), once it is there."""
        self.begin()

        def there() -> dict[str, Any] | None:
            assert self._town is not None
            log = self.stage.folder / "town.log"
            assert self._town.poll() is None, log.read_text(errors="replace")[-3000:]
            items = self.service.items(f"/api/v1/tickets?kind={kind}")
            return next((t for t in items if t["parent"] is None), None)

        found: dict[str, Any] = eventually(there, 90, every=1.0)
        return self.now(found["id"])

    def now(self, ticket: str) -> dict[str, Any]:
        """The ticket as the API tells it, with its events."""
        told: dict[str, Any] = self.service.get(f"/api/v1/tickets/{ticket}")
        return told

    def stages(self) -> dict[str, str]:
        """The stage of every open ticket."""
        items = self.service.items("/api/v1/tickets")
        return {t["id"]: t["stage"] for t in items if t["stage"] in OPEN_STAGES}

    def link(self, ticket: str, utility: str) -> str:
        """The signed link that the utility's messenger gets."""
        return Passes(kept_secret(self.stage.state), 3600.0, SystemClock()).make(ticket, utility)

    def sign_near(self, place: dict[str, float]) -> str:
        """The code on the sign of the drain that is nearest there."""

        def far(spot: Spot) -> float:
            return math.hypot(spot.point.lon - place["lon"], spot.point.lat - place["lat"])

        city = load_city(self.stage.city)
        drain = min((s for s in spots(city) if s.id.startswith("drain:")), key=far)
        return Codes(city, CenterSettings(), kept_secret(self.stage.state)).code(drain)


class People:
    """Browsers of different people: a context each. What a page throws fails the test."""

    def __init__(self, browser: Browser, night: Night) -> None:
        self._browser = browser
        self._night = night
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def _page(self, **how: Any) -> Page:
        context = self._browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **how)
        self._contexts.append(context)
        context.add_init_script(EARS)
        page = context.new_page()
        page.set_default_timeout(LOADED_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def desk(self, url: str = "", path: str = "/") -> Page:
        """An operator's desk, live."""
        page = self._page(viewport={"width": 1440, "height": 900})
        page.goto((url or self._night.url) + path)
        page.wait_for_selector("#link[data-state=live]")
        return page

    def phone(self, path: str, at: dict[str, float] | None = None) -> Page:
        """A telephone on that page, where `at` says."""
        here = {"latitude": at["lat"], "longitude": at["lon"], "accuracy": 8} if at else None
        page = self._page(
            viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
            geolocation=here, permissions=["geolocation"] if here else [],
        )  # fmt: skip
        page.goto(self._night.url + path)
        return page

    def worker(self, ident: str, at: dict[str, float]) -> Page:
        """A grid worker's telephone, their page open."""
        page = self.phone("/w", at)
        page.locator("input[type=search]").fill(ident)  # not everybody is on the first screen
        page.locator(f'[data-as="{ident}"]').tap()
        page.wait_for_selector(".me")
        return page

    def leave(self) -> None:
        """Everybody closes their browser."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def without_rounds_by_the_clock(patrols: Path) -> None:
    """The night is quiet until it begins, at whatever hour it is played."""
    rounds = patrols.read_text().split("[[patrol]]")
    kept = [one for one in rounds if not re.search(r"^at = ", one, re.MULTILINE)]
    assert 1 < len(kept) < len(rounds)
    patrols.write_text("[[patrol]]".join(kept))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, pg_server: EmbeddedPostgres) -> Iterator[Night]:
    """The service over the town of a fixed seed, ready."""
    folder = tmp_path_factory.mktemp("night")
    with ExitStack() as ends:
        broker = Mosquitto(folder / "mosquitto").start()
        ends.callback(broker.kill)
        stage = Stage(folder, ends.enter_context(fresh_database(pg_server)), broker.port)
        ends.callback(stage.close)
        write_city(build(SEED), stage.city)
        without_rounds_by_the_clock(stage.city / "patrols.toml")
        night = Night(stage)
        night.service.start()
        night.service.wait_ready()
        yield night


@pytest.fixture
def people(browser: Browser, night: Night) -> Iterator[People]:
    """Nobody yet; whoever came has left with the test."""
    people = People(browser, night)
    yield people
    people.leave()
    assert not people.errors


__all__ = ["EARS", "LOADED_MS", "Night", "People", "night", "people", "pg_server"]
