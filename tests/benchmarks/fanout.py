"""How much the event channel costs: many readers of ``GET /api/events``, jobs with pictures, one server process.

    python tests/benchmarks/fanout.py --listeners 200 [--wire url] [--jobs 16] [--kb 1500] [--slow 0] [--pause 0]

Each job publishes a phase, two previews of 60 KB, an ``image`` and a ``done`` with the same picture. The server
runs in a process of its own; this one reads with as little work as possible. Prints one JSON object. ``--slow``
readers never read at all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import uvicorn
import uvloop
from fastapi import FastAPI, Request

import ima2
from ima2.database.sqlite import Database
from ima2_plugins.sse.journal import METADATA
from ima2_plugins.sse.routes import router
from ima2_plugins.sse.settings import SseSettings
from ima2_plugins.sse.sink import SseSink


def job_events(job: str, picture: ima2.Picture, preview: ima2.Picture) -> list[ima2.Event]:
    """What a one-image sequence tells."""
    facts = {"filename": f"{job}.png", "createdAt": 1795338938962, "revisedPrompt": "a scene", "sequenceIndex": 1}
    done = {"ok": True, "requestId": job, "requested": 1, "returned": 1, "images": [{"image": picture, **facts}]}
    return [
        ima2.Event("phase", job, {"phase": "streaming", "requestId": job, "maxImages": 1}),
        ima2.Event("partial", job, {"image": preview, "requestId": job, "index": 0}),
        ima2.Event("partial", job, {"image": preview, "requestId": job, "index": 0}),
        ima2.Event("image", job, {"image": picture, **facts}),
        ima2.Event("done", job, done, terminal=True),
    ]


def application(folder: Path) -> FastAPI:
    """A server with nothing but the event channel and a button that starts the jobs."""
    database = Database(folder / "events.db")
    sink = SseSink(SseSettings(), database, logging.getLogger("fanout"))
    running: set[asyncio.Task[None]] = set()
    lag = {"max_ms": 0.0}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await database.open([("sse", ima2.Tables(METADATA))])
        await sink.open()
        yield
        await sink.close()
        await database.close()

    async def measure_lag() -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            lag["max_ms"] = max(lag["max_ms"], (time.perf_counter() - start - 0.001) * 1000)

    async def publish(jobs: int, size: int, pause: float) -> None:
        preview = ima2.Picture(os.urandom(60_000), "image/png")
        for number in range(jobs):
            picture = ima2.Picture(os.urandom(size), "image/png")
            for event in job_events(f"job_{number}", picture, preview):
                await sink.handle(event)
            await asyncio.sleep(pause)

    app = FastAPI(lifespan=lifespan)
    app.include_router(router(sink))

    @app.post("/go")
    async def go(request: Request) -> dict[str, int]:
        query = request.query_params
        running.add(asyncio.create_task(measure_lag()))
        running.add(asyncio.create_task(publish(int(query["jobs"]), int(query["bytes"]), float(query["pause"]))))
        return {"listeners": len(sink.audience)}

    @app.get("/lag")
    async def max_lag() -> dict[str, float]:
        return lag

    return app


class Reader(asyncio.BufferedProtocol):
    """Reads and counts; ``done`` counts the frames of that name."""

    shared = bytearray(1 << 20)
    bytes_read = 0
    done = 0
    opened = 0
    lost = 0

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = False
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(
            f"GET {self._path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        Reader.lost += 1

    def get_buffer(self, sizehint: int) -> bytearray:
        return Reader.shared

    def buffer_updated(self, size: int) -> None:
        if not self._open:
            self._open = True
            Reader.opened += 1
        Reader.bytes_read += size
        seam = self._tail + Reader.shared[:16]
        Reader.done += seam.count(b"event: done") + Reader.shared.count(b"event: done", 0, size)
        Reader.done -= Reader.shared.count(b"event: done", 0, min(16, size))
        self._tail = bytes(Reader.shared[max(0, size - 10) : size])


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, what: str) -> int:
    """A line of ``/proc/PID/status`` in MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) // 1024


async def call(port: int, request: str) -> str:
    """One small HTTP call; the body as text."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{request} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer.partition("\r\n\r\n")[2]


async def measure(port: int, pid: int, args: argparse.Namespace) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    path = "/api/events" + ("?images=url" if args.wire == "url" else "")
    silent = []
    for _ in range(args.slow):
        sleeper = socket.create_connection(("127.0.0.1", port))
        sleeper.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        silent.append(sleeper)
    for _ in range(args.listeners):
        await loop.create_connection(lambda: Reader(path), "127.0.0.1", port)
    async with asyncio.timeout(60):
        while Reader.opened < args.listeners:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    idle = memory_mb(pid, "VmRSS")
    cpu, start, read = cpu_seconds(pid), time.perf_counter(), Reader.bytes_read
    await call(port, f"POST /go?jobs={args.jobs}&bytes={args.kb * 1000}&pause={args.pause}")
    while Reader.done < args.jobs * args.listeners and not Reader.lost and time.perf_counter() - start < 240:
        await asyncio.sleep(0.005)
    wall = time.perf_counter() - start
    used, gigabytes = cpu_seconds(pid) - cpu, (Reader.bytes_read - read) / 1e9
    return {
        "listeners": args.listeners,
        "wire": args.wire,
        "all_delivered": Reader.done == args.jobs * args.listeners,
        "done_seen": Reader.done,
        "cut_off": Reader.lost,
        "wall_s": round(wall, 2),
        "server_cpu_s": round(used, 2),
        "cpu_s_per_GB": round(used / gigabytes, 3),
        "MB": round(gigabytes * 1000, 1),
        "rss_mb_before": idle,
        "rss_mb": memory_mb(pid, "VmRSS"),
        "rss_mb_peak": memory_mb(pid, "VmHWM"),
        **json.loads(await call(port, "GET /lag")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--wire", choices=("data", "url"), default="data")
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--kb", type=int, default=1500)
    parser.add_argument("--slow", type=int, default=0, help="readers that never read")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two jobs")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fanout_") as folder:
        if args.serve:
            uvicorn.run(application(Path(folder)), fd=args.serve, log_level="warning", timeout_graceful_shutdown=1)
            return
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        command = [sys.executable, __file__, "--serve", str(listening.fileno())]
        with subprocess.Popen(command, pass_fds=[listening.fileno()]) as server:
            try:
                print(json.dumps(uvloop.run(measure(listening.getsockname()[1], server.pid, args))))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
