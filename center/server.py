"""The center in a thread of its own, so that the pipeline and the pages do not wait for each
other's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable

from aiohttp import web

from center.ear import listening
from center.settings import CenterSettings
from contracts.errors import GridsentryError, Temporary

log = logging.getLogger(__name__)

START_S = 30.0


class CenterServer:
    """Runs an application made by `make_app`. `start` and `stop` may be called from any thread."""

    def __init__(self, make: Callable[[], web.Application], settings: CenterSettings) -> None:
        """`make` is called inside the server's thread and event loop."""
        self._make = make
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn: asyncio.Event | None = None
        self._leaving = False
        self._up = threading.Event()
        self._failed: BaseException | None = None
        self.port = settings.port
        """The port it listens on, once started."""

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = self._settings.host
        if host in ("0.0.0.0", "::"):
            host = "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def start(self) -> None:
        """Return once it listens. Raises Wrong when it cannot (settings, port taken)."""
        if self._thread is not None:
            raise RuntimeError("already started")
        self._up.clear()
        self._failed = None
        self._leaving = False
        self._thread = threading.Thread(target=self._main, name="center", daemon=True)
        self._thread.start()
        if not self._up.wait(START_S):
            raise Temporary(f"the center was not up within {START_S:.0f} s")
        failed = self._failure()
        if failed is not None:
            self._thread.join()
            self._thread = None
            if isinstance(failed, GridsentryError):
                raise failed
            raise RuntimeError(f"the center cannot start: {failed}") from failed

    def _failure(self) -> BaseException | None:
        return self._failed

    def stop(self, timeout: float = 5.0) -> None:
        """End live streams, finish requests under way (at most 0.5 s), return when it is down."""
        thread = self._thread
        if thread is None or self._loop is None:
            return
        self._leaving = True
        self._wake()
        thread.join(timeout)
        if thread.is_alive():
            log.error("the center did not stop within %.1f s", timeout)
        self._thread = None

    def renew(self) -> None:
        """Serve an application made anew, at the same port: what it was made from has changed.

        Live streams end and are resumed by their readers. An application that cannot be made is
        told in the log, and the old one goes on.
        """
        self._wake()

    def _wake(self) -> None:
        loop, turn = self._loop, self._turn
        if loop is not None and turn is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended on its own
                loop.call_soon_threadsafe(turn.set)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # handed to `start`, or said here
            if self._up.is_set():
                log.exception("the center ended")
            self._failed = error
        finally:
            self._up.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Event()
        app = self._make()
        port = self._settings.port
        while not self._leaving:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
            async with listening(runner, self._settings.host, port) as port:
                self.port = port
                self._up.set()
                app = await self._renewed()

    async def _renewed(self) -> web.Application:
        """Waits for the next application, or until there shall be none (then any will do)."""
        assert self._turn is not None
        while True:
            await self._turn.wait()
            self._turn.clear()
            if self._leaving:
                return web.Application()
            try:
                return self._make()
            except Exception:
                log.exception("the center cannot be made anew: it goes on as it was")
