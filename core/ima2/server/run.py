"""Running the server until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn

from ima2.kernel import guard
from ima2.runtime import Runtime, open_runtime, wind_down
from ima2.server.app import create_app
from ima2.server.loop_watch import LoopWatch, plugin_packages
from ima2.server.protocol import Protocol
from ima2.server.serving import ANYWHERE, advertised, own_names
from ima2.server.status import process_facts

CLOSE_S = 5.0
"""Seconds after the time for connections in which all parts close; whatever a plugin still does, it ends then."""


class Server(uvicorn.Server):
    """uvicorn that tells when it really listens, and ends jobs and streams before it waits for connections."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._runtime = runtime
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        guard.end_within(self._runtime.settings.shutdown_grace_s + CLOSE_S)
        await wind_down(self._runtime)
        await super().shutdown(sockets)


def run(runtime: Runtime, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve on an open socket. Returns when stopped by a signal; running jobs are closed as interrupted by then."""
    hosts = own_names() if runtime.settings.host in ANYWHERE else ()
    config = uvicorn.Config(
        create_app(runtime, hosts=hosts),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(runtime.settings.shutdown_grace_s)),
        timeout_keep_alive=75,
        lifespan="off",  # the runtime is opened first, so that what fails then is one sentence
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=Protocol,
        proxy_headers=False,
    )

    server = Server(config, runtime, ready)

    async def serve() -> None:
        watch = LoopWatch(plugin_packages(runtime.booted))
        watch.start(asyncio.get_running_loop())
        async with open_runtime(runtime):
            with advertised(runtime, process_facts(runtime)):
                await server.serve(sockets=[listener])
        watch.stop()

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises a signal again once it has shut down. Stopping on request is a success: nothing is left to do.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve())
