"""The composition root: what starts and stops, and in which order.

Sinks first: database, broker, migrations, center, relay and alerts, then the writer's loop, which
starts its sessions last. Stopping goes the other way: sessions, a drained last batch, the outbox,
the center, broker, database.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from center.app import make_app
from center.server import CenterServer
from center.settings import check
from contracts.clock import ManualClock, SystemClock, from_epoch_ms, monotonic
from contracts.errors import GridsentryError, Temporary, Wrong
from contracts.wire import SIM_CLOCK, SIM_FOLLOWER
from gridsentry.city import load_city
from gridsentry.city.folder import CityFolder
from gridsentry.config import Settings, folders, state_dir
from gridsentry.engine.rooms import detector_configs
from gridsentry.live import build
from gridsentry.live.batching import session_health
from gridsentry.live.children import keep_alive, lease_holder, watch_folder
from gridsentry.live.conditions import Conditions
from gridsentry.live.core import Core
from gridsentry.live.heavy import heavy_sessions
from gridsentry.live.housekeeping import EvidenceKeeping, Housekeeper, RelayThread
from gridsentry.live.offers import allowed
from gridsentry.live.outside import Outside
from gridsentry.live.plant import ServicePlant
from gridsentry.live.probe import Probe
from gridsentry.live.roles import Roles
from gridsentry.live.rolling import keep_rolled
from gridsentry.live.tally import TicketTally
from gridsentry.metrics import Metrics
from gridsentry.secret import kept_secret
from ingest.adapting.plan import read as read_adapters
from ingest.album import Album
from ingest.breaker import Breaker
from ingest.broker import EmbeddedBroker
from ingest.publisher import MqttPublisher
from ingest.session import MqttSession, filters
from ingest.spool import Spool
from store import archive
from store.accounts import PgAccounts
from store.connect import connect
from store.desk import PgDesk
from store.embedded import EmbeddedPostgres
from store.home import settle
from store.migrate import Variant, migrate
from store.queries import sql
from store.writer import PgWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from contracts.city import City
    from contracts.clock import Clock
    from contracts.nouns import Arrival
    from contracts.ports import Session
    from gridsentry.live.roles import Plan
    from ingest.adapting.plan import Plan as AdapterPlan
    from ingest.settings import MqttSettings

log = logging.getLogger(__name__)

SWITCH_S = 0.0005
"""A thread that comes back from the database or the network waits at most that for the one that
decodes and folds (Python's own is 5 ms). Measured: a tenth more readings a second, at no cost."""

STOP_CORE_S = 3.0


class Service:
    """One process of the service: whichever roles it was given."""

    def __init__(
        self,
        settings: Settings,
        roles: Roles,
        *,
        say: Callable[[str], None] = log.info,
        configuration: str = "configuration",
    ) -> None:
        """`configuration` is the file of the settings, for messages about them. Raises Wrong."""
        self.settings = settings
        self._configuration = configuration
        self.roles = roles
        self.metrics = Metrics()
        self.clock: Clock = SystemClock()
        self._state = state_dir(settings)
        self._city_folder = CityFolder(Path(settings.service.city), self._state)
        self._city_folder.finish()
        self.city: City = load_city(Path(settings.service.city))
        self._conditions = Conditions(self.metrics)
        self._center: CenterServer | None = None
        self._adapters = self._read_adapters()
        self.url: str | None = None
        self.mqtt = settings.mqtt
        self.dsn = settings.store.dsn
        self._say = say
        self._state = state_dir(settings)
        self._folders = folders(settings)
        self._folders["shown"].mkdir(exist_ok=True)
        self._folders["original"].mkdir(exist_ok=True, mode=0o700)
        self._variant: Variant = "native"
        self._configs = detector_configs(settings.detectors)
        self._cores: list[Core] = []
        self._sessions: dict[str, MqttSession] = {}
        self._stack = ExitStack()
        self._holder = f"{socket.gethostname()}:{os.getpid()}"

    # --- start --------------------------------------------------------------------------------

    def start(self) -> None:
        """Everything up, sinks first. What was started is stopped again when a later part fails."""
        sys.setswitchinterval(SWITCH_S)
        try:
            self._start_database()
            self._start_broker()
            if self.settings.service.clock == "sim":
                self.clock = ManualClock(self._clock_start())
            self._start_center()
            self._start_relay()
            self._start_core()
            self._tell_follower()
            self._watch_city()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Everything down in the opposite order of `start`."""
        self._stack.close()

    def _start_database(self) -> None:
        if self.dsn is None:
            self._say("starting the embedded PostgreSQL")
            database = EmbeddedPostgres(
                self._state / "postgres",
                start_s=self.settings.store.embedded_start_s,
                options=archive.options(self.settings.store.embedded_archive),
            )
            self.dsn = database.start()
            self._stack.callback(self._stopping, "database", database.stop)
            self._stack.callback(keep_alive("database", database.start))
        self._migrate()

    def _migrate(self) -> None:
        """Bring the schema up to date, waiting a while for a database that is still starting."""
        store = self.settings.store
        until = monotonic() + store.embedded_start_s
        while True:
            try:
                with connect(self.dsn_text, store) as connection:
                    self._variant = migrate(connection, self.clock.now(), timescale=store.timescale)
                    settle(connection)
                return
            except Temporary as error:
                if monotonic() > until:
                    raise
                log.warning("waiting for the database: %s", error)
                self.clock.sleep(1.0)

    def _start_broker(self) -> None:
        kind = self.settings.broker.embedded
        if kind == "none":
            return
        wanted = self.settings.broker.port
        port = wanted or (1883 if _is_free(1883) else None)
        prefer = "iotcore" if kind == "iotcore" else "mosquitto"
        broker = EmbeddedBroker(self._state / "broker", port, prefer=prefer)
        if kind == "mosquitto" and broker.name != kind:
            raise Wrong(
                "broker.embedded", "mosquitto is not installed", "sudo apt-get install mosquitto"
            )
        try:
            host, port = broker.start()
        except Temporary:
            if wanted:
                raise
            broker = EmbeddedBroker(self._state / "broker", None, prefer=prefer)
            host, port = broker.start()
        self.mqtt = msgspec.structs.replace(self.mqtt, host=host, port=port)
        self._stack.callback(self._stopping, "broker", broker.stop)
        self._stack.callback(keep_alive("broker", broker.start))
        self._say(f"{broker.name} on {host}:{port}. {broker.limits}")

    def _clock_start(self) -> Any:
        """A simulated clock stands still until the simulator speaks: where the store left off, or
        now, where every live simulator begins. From 1970 on, timers would ring for 56 years."""
        store = PgWriter(self.dsn_text, "", self.settings.store)
        try:
            resumed = [store.resume(name).at for name in self.roles.writers()]
        finally:
            store.close()
        known = [at for at in resumed if at is not None]
        return max(known) if known else SystemClock().now()

    @property
    def dsn_text(self) -> str:
        """The connection string; only after the database is there."""
        assert self.dsn is not None
        return self.dsn

    def _start_center(self) -> None:
        if not self.roles.center:
            self._start_probe()
            return
        desk = PgDesk(self.dsn_text, self.settings.store)
        publisher = MqttPublisher(self._as(f"alerts-{self._holder}"))
        publisher.start()
        self._stack.callback(self._stopping, "alerts", publisher.stop)
        center = self.settings.center
        if not center.evidence_secret:
            center = msgspec.structs.replace(center, evidence_secret=kept_secret(self._state))
        check(center, accounts=self._has_accounts())
        server = CenterServer(
            lambda: make_app(
                desk,
                self.city,
                center,
                clock=self.clock,
                evidence_dir=self._folders["shown"],
                originals_dir=self._folders["original"],
                health=self.health,
                registry=self.metrics.registry,
                publisher=publisher,
                notify=self.settings.notify,
                lifespans=(lambda: _open(desk),),
                tally=TicketTally,
                allowed=partial(allowed, appeal_s=self.settings.router.appeal_s),
                accounts=PgAccounts(desk),
                people_clock=SystemClock(),
                plant=ServicePlant(
                    self._city_folder, lambda: self.city, self._configs, self._conditions.told
                ),
            ),
            center,
        )
        server.start()
        self._center = server
        self._stack.callback(self._stopping, "center", lambda: server.stop(1.5))
        self.url = server.url
        self._say(f"command center at {server.url}")

    def _has_accounts(self) -> bool:
        with connect(self.dsn_text, self.settings.store) as connection:
            row = connection.execute(sql("any_account")).fetchone()
        return bool(row and row[0])

    def _start_probe(self) -> None:
        service = self.settings.service
        if service.probe_port:
            probe = Probe(
                service.probe_host, service.probe_port, self.health, self.metrics.registry
            )
            probe.start()
            self._stack.callback(self._stopping, "probe", probe.stop)
            self._say(f"health at http://{service.probe_host}:{probe.port}/readyz")

    def _start_relay(self) -> None:
        relay = RelayThread(self.dsn_text, self.settings.store)
        keeper = Housekeeper(
            self.dsn_text,
            self.settings.store,
            self._variant,
            self.clock,
            self.metrics,
            self._keeping(),
        )
        for part in (relay, keeper):
            part.start()
            self._stack.callback(self._stopping, type(part).__name__, part.stop)
        stop = keep_rolled(self.dsn_text, self.settings.store, self._variant, self.clock)
        self._stack.callback(self._stopping, "roller", stop)

    def _keeping(self) -> EvidenceKeeping | None:
        """Evidence that this process cuts, and so lets go."""
        plan = next((plan for plan in self.roles.cores() if plan.bulk), None)
        if plan is None:
            return None

        def owns(device: str) -> bool:
            districts, known = plan.districts(self.city), self.city.devices.get(device)
            return districts is None or known is None or known.district in districts

        return EvidenceKeeping(self._folders, self.settings.evidence, owns)

    def _start_core(self) -> None:
        for plan in self.roles.cores():
            core = self._core(plan)
            core.start()
            self._cores.append(core)
            self._stack.callback(
                self._stopping, f"writer {plan.writer}", partial(core.stop, STOP_CORE_S)
            )

    def _core(self, plan: Plan) -> Core:
        settings = self.settings
        store = PgWriter(
            self.dsn_text,
            f"/gridsentry/{self.city.id}",
            settings.store,
            variant=self._variant,
        )
        self._stack.callback(store.close)
        districts = plan.districts(self.city)
        telemetry = bulk = spool = outside = album = None
        if plan.telemetry:
            wanted = filters(districts or ())
            if plan.shard > 1:  # workers belong to no district: the first shard hears them
                wanted = [topic for topic in wanted if "/worker/" not in topic]
            if settings.service.clock == "sim":
                wanted.append(SIM_CLOCK)
            ready = threading.Event()
            telemetry = MqttSession(self._as(plan.writer), wanted, clock=self.clock, ready=ready)
            self._sessions[f"{plan.writer}-telemetry"] = telemetry
            outside = self._outside(plan, ready)
        if plan.bulk:
            bulk, heavy = heavy_sessions(
                self._as,
                plan.writer,
                filters(districts or (), bulk=True),
                self._adapters,
                self.clock,
            )
            self._sessions.update(heavy)
            album = Album(self._state / "album")
            spool = Spool(
                self._state / "spool", settings.spool.max_bytes_per_camera, settings.spool.max_age_s
            )
        builder = build.Builder(
            lambda: self.city,
            settings,
            self._configs,
            store,
            plan,
            self.clock,
            spool=spool,
            bulk_session=bulk,
            evidence=self._folders["shown"],
            originals=self._folders["original"],
            metrics=self.metrics,
            adapters=lambda: self._adapters,
            conditions=self._conditions,
            album=album,
        )
        breaker = Breaker() if telemetry is not None else None
        source: Session | None = telemetry
        if outside is not None and telemetry is not None and breaker is not None:
            source = outside.with_own(telemetry, breaker)
        holder = lease_holder(self._state, plan.writer, self._holder, self._stack)
        if holder != self._holder:
            # The process that had it is dead. Giving it back waits for its last transaction and
            # makes the next epoch, so that what it still had under way can never pass for ours.
            store.release(plan.writer, holder)
        core = Core(
            plan.writer,
            holder,
            store,
            builder,
            self.clock,
            settings.core,
            self.metrics,
            telemetry=source,
            bulk_session=bulk,
            breaker=breaker,
            drop_old=spool.drop_old if spool is not None else None,
            routes=plan.routes,
            pulls_unrouted=plan.pulls_unrouted,
            tick=self._tick if settings.service.clock == "sim" else None,
            districts=districts,
            outside=outside,
        )
        builder.wake_core = core.wake
        return core

    def _outside(self, plan: Plan, ready: threading.Event) -> Outside | None:
        """Sessions of the adapters, beside the writer's own."""
        if not self._adapters:
            return None
        outside = Outside(
            self._adapters,
            lambda name: self._as(f"{plan.writer}-{name}"),
            self.clock,
            self.metrics,
            ready,
        )
        for name, session in outside.sessions.items():
            self._sessions[f"{plan.writer}-{name}"] = session
        return outside

    def _read_adapters(self) -> tuple[AdapterPlan, ...]:
        folder = Path(self.settings.service.city)
        return read_adapters(self.settings.adapters, self._configuration, folder)

    def _as(self, name: str) -> MqttSettings:
        """The broker's settings under a client id of our own: the broker keeps a session by it."""
        clean = re.sub(r"[^A-Za-z0-9._-]", "-", f"{self.mqtt.client_id}-{name}")
        return msgspec.structs.replace(self.mqtt, client_id=clean)

    # --- the simulated clock --------------------------------------------------------------------

    def _tick(self, arrival: Arrival) -> bool:
        """Follow the simulator's clock; whether the message was one of its ticks."""
        if arrival.topic != SIM_CLOCK:
            return False
        if isinstance(self.clock, ManualClock):
            try:
                self.clock.advance_to(from_epoch_ms(int(arrival.payload)))
            except (ValueError, OverflowError):
                log.warning("not a time on %s: %r", SIM_CLOCK, arrival.payload[:40])
        return True

    def _tell_follower(self) -> None:
        """Simulators ask whose clock we follow before they run faster than time."""
        publisher = MqttPublisher(self._as(f"hello-{self._holder}"))
        publisher.start()
        publisher.wait_ready(5.0)
        try:
            followed = b"sim" if self.settings.service.clock == "sim" else b"live"
            publisher.publish(SIM_FOLLOWER, followed, retain=True, wait_s=5.0)
        except GridsentryError as error:
            log.warning("could not tell simulators whose clock is followed: %s", error)
        finally:
            publisher.stop()

    # --- the city folder ------------------------------------------------------------------------

    def _watch_city(self) -> None:
        if self.settings.service.watch_city:
            stop = watch_folder(Path(self.settings.service.city), self.reload_city)
            self._stack.callback(stop)

    def reload_city(self) -> None:
        """Take the city folder up again; a wrong one is told and the old one stays."""
        try:
            city = load_city(Path(self.settings.service.city))
            adapters = self._read_adapters()
        except Wrong as error:
            log.error("the changed city folder is not taken up: %s", error)
            return
        self.city, self._adapters = city, adapters
        log.info("the city folder changed: %d devices now", len(city.devices))
        for core in self._cores:
            core.reload()
        if self._center is not None:
            self._center.renew()

    # --- health -----------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """Ready or not, and why: for /readyz."""
        reasons: list[str] = []
        if len(self._cores) < len(self.roles.cores()):
            reasons.append("starting")  # the center is up before the writers
        cores = {core.name: core.health() for core in self._cores}
        for name, told in cores.items():
            if told["trouble"]:
                reasons.append(f"{name}: {told['trouble']}")
            elif not told["active"]:
                reasons.append(f"{name}: standing by for another process that holds the lease")
            reasons.extend(f"{name}: {failure}" for failure in told["detector_failures"])
        sessions = session_health(self._sessions, self.metrics)
        active = any(told["active"] for told in cores.values())
        for name, told in sessions.items():
            if active and not told.get("connected"):
                reasons.append(f"MQTT session {name}: {told.get('last_error') or 'not connected'}")
            elif active and not told.get("subscribed"):
                # Until then the broker keeps nothing for us that it had not kept before.
                reasons.append(f"MQTT session {name}: {told.get('last_error') or 'subscribing'}")
        reasons.extend(reason for core in self._cores for reason in core.breaker_reasons())
        return {"ready": not reasons, "reasons": reasons, "cores": cores, "sessions": sessions}

    def wait_ready(self, timeout: float) -> bool:
        """Wait until healthy; False when not within `timeout` seconds."""
        until = monotonic() + timeout
        pause = threading.Event()
        while monotonic() < until:
            if self.health()["ready"]:
                return True
            pause.wait(0.1)
        return False

    def _stopping(self, what: str, stop: Callable[[], None]) -> None:
        began = monotonic()
        try:
            stop()
        except Exception:
            log.exception("stopping %s failed", what)
        log.info("%s stopped in %.1f s", what, monotonic() - began)


@asynccontextmanager
async def _open(desk: PgDesk) -> AsyncIterator[None]:
    """The desk lives in the center's event loop."""
    await desk.open()
    try:
        yield
    finally:
        await desk.close()


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
