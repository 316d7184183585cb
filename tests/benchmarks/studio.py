"""The whole server under work: `python tests/benchmarks/studio.py CASE [--listeners 200] [--wire url] [--images
100000]`.

Cases: ``startup``, ``generate`` (96 pictures, eight at a time), ``fanout`` (16 asynchronous jobs of ``/api/generate``
told to
every listener), ``history`` (a folder that was never indexed). A provider in the server hands out a 1.5 MB PNG at
once, so that what
is measured is ours. Prints one JSON object a case; CPU counts the server's process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import httpx
import orjson

from ima2 import Artifact, Capabilities, ImageRequest, Job, Model, Phase, Picture, Provider, Sizes, Update
from ima2.testing import plugin

TICKS = os.sysconf("SC_CLK_TCK")


def big_picture(kb: int = 1500) -> bytes:
    """A 1024 x 1024 PNG of about ``kb`` kB: noise above, a gradient below."""
    from PIL import Image

    image = Image.linear_gradient("L").resize((1024, 1024)).convert("RGB")
    rows = kb // 3
    image.paste(Image.frombytes("RGB", (1024, rows), random.Random(7).randbytes(3 * 1024 * rows)), (0, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class Ready(Provider):
    """Hands out the same large picture at once."""

    id = "ready"
    title = "Ready"
    capabilities = Capabilities(models=(Model("ready-1"),), default_model="ready-1", sizes=Sizes(free=True))

    @cached_property
    def picture(self) -> Picture:
        """Made when first asked for, so that it is no part of the start."""
        return Picture(big_picture(), "image/png")

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        yield Phase("streaming")
        for index in range(request.count):
            yield Artifact(self.picture, index)


def serve(port: int) -> None:
    """Run the server of the benchmark, in this process."""
    from ima2.runtime import assemble
    from ima2.server.run import run
    from ima2.server.serving import bind
    from ima2.studio.memory import few_arenas

    few_arenas()
    runtime = assemble(extra={"ready": plugin(providers=[Ready()])})
    listener = bind("127.0.0.1", port)
    runtime.port = port
    run(runtime, listener, lambda: None)


class Served:
    """The server's process as seen from outside."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port, self.process = port, process
        self.url = f"http://127.0.0.1:{port}"

    def cpu(self) -> float:
        """CPU seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mb(self) -> int:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return round(int(status.split("VmRSS:")[1].split()[0]) / 1024)


@contextmanager
def served(home: Path) -> Iterator[tuple[Served, float]]:
    """A server over ``home``, and how many seconds it took to answer."""
    from tests.conftest import free_port

    port = free_port()
    environ = {**os.environ, "IMA2_CONFIG_DIR": str(home), "IMA2_LOG_LEVEL": "error"}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, "serve", "--port", str(port)], env=environ)
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/api/health", trust_env=False).status_code == 200:
                break
        except httpx.TransportError:
            if process.poll() is not None:
                raise RuntimeError("the server did not start") from None
        time.sleep(0.01)
    took = time.perf_counter() - began
    try:
        yield Served(port, process), took
    finally:
        process.terminate()
        process.wait(15)


async def startup(server: Served, took: float, _: argparse.Namespace) -> dict[str, object]:
    """How long until it answered, provider's picture included."""
    await asyncio.sleep(1)
    return {"seconds": round(took, 2), "rss_mb": server.resident_mb()}


async def generate(server: Served, _: float, options: argparse.Namespace) -> dict[str, object]:
    """Pictures a second when eight clients wait for theirs."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
        times: list[float] = []
        numbers = iter(range(options.pictures))

        async def worker() -> None:
            for number in numbers:
                began = time.perf_counter()
                answer = await client.post("/api/generate", json={"prompt": f"boat {number}", "provider": "ready"})
                answer.raise_for_status()
                times.append(time.perf_counter() - began)

        began, cpu = time.perf_counter(), server.cpu()
        await asyncio.gather(*(worker() for _ in range(8)))
        wall = time.perf_counter() - began
    return {
        "images_per_s": round(options.pictures / wall, 1),
        "cpu_ms_per_image": round((server.cpu() - cpu) / options.pictures * 1000, 1),
        "p50_ms": round(statistics.median(times) * 1000),
        "rss_mb": server.resident_mb(),
    }


async def fanout(server: Served, _: float, options: argparse.Namespace) -> dict[str, object]:
    """Until every listener has every ``done``."""
    query = "?images=url" if options.wire == "url" else ""
    total, seen, finished = [0], [0], asyncio.Event()
    wanted = options.jobs * options.listeners

    async def listen() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
        writer.write(f"GET /api/events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        tail = b""
        while piece := await reader.read(1 << 18):
            total[0] += len(piece)
            window = tail + piece
            seen[0] += window.count(b"event: done") - tail.count(b"event: done")
            tail = window[-10:]
            if seen[0] >= wanted:
                finished.set()

    listeners = [asyncio.create_task(listen()) for _ in range(options.listeners)]
    await asyncio.sleep(1.5)
    began, cpu = time.perf_counter(), server.cpu()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
        for number in range(options.jobs):
            body = {"prompt": f"boat {number}", "provider": "ready", "async": True, "requestId": f"fan-{number}"}
            while (await client.post("/api/generate", json=body)).status_code == 429:
                await asyncio.sleep(0.05)
    await asyncio.wait_for(finished.wait(), 240)
    wall, spent = time.perf_counter() - began, server.cpu() - cpu
    for task in listeners:
        task.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    gigabytes = total[0] / 1e9
    return {
        "listeners": options.listeners,
        "wire": options.wire,
        "wall_s": round(wall, 2),
        "MB": round(total[0] / 1e6, 1),
        "cpu_s": round(spent, 2),
        "cpu_s_per_GB": round(spent / gigabytes, 2) if options.wire == "data" else None,
        "rss_mb": server.resident_mb(),
    }


async def history(server: Served, took: float, options: argparse.Namespace) -> dict[str, object]:
    """The first page of a large folder: at once, when indexed, and right after a new picture."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:

        async def page() -> tuple[float, dict[str, object]]:
            began = time.perf_counter()
            answer = await client.get("/api/history?limit=50")
            return (time.perf_counter() - began) * 1000, answer.json()

        first, _ = await page()
        slowest, began = 0.0, time.perf_counter()
        while "indexing" in (await page())[1]:
            ping = time.perf_counter()
            await client.get("/api/health")
            slowest = max(slowest, (time.perf_counter() - ping) * 1000)
            await asyncio.sleep(0.05)
        indexed = time.perf_counter() - began
        warm = [(await page())[0] for _ in range(20)]
        after = []
        for number in range(5):
            await client.post("/api/generate", json={"prompt": f"boat {number}", "provider": "ready"})
            after.append((await page())[0])
    return {
        "images": options.images,
        "health_s": round(took, 2),
        "first_page_ms": round(first),
        "indexed_s": round(indexed, 1),
        "slowest_health_while_indexing_ms": round(slowest),
        "warm_ms": round(statistics.median(warm), 1),
        "after_new_ms": round(statistics.median(after), 1),
        "rss_mb": server.resident_mb(),
    }


def fill(home: Path, count: int) -> None:
    """A gallery as the reference leaves it: picture, sidecar, thumbnail."""
    from ima2.testing import picture

    folder = home / "generated"
    folder.mkdir(parents=True)
    png, jpeg = picture(64, 64).data, picture(32, 32, "image/jpeg").data
    for number in range(count):
        at = 1_780_000_000_000 + number * 1000
        stem = f"{at}_{number:08x}_0"
        facts = {"kind": "classic", "requestId": f"r{number}", "prompt": f"boat {number}", "createdAt": at}
        (folder / f"{stem}.png").write_bytes(png)
        (folder / f"{stem}.thumb.jpg").write_bytes(jpeg)
        (folder / f"{stem}.png.json").write_bytes(orjson.dumps(facts))


CASES = {"startup": startup, "generate": generate, "fanout": fanout, "history": history}


def main() -> None:
    """Run one case, or be the server of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=[*CASES, "serve"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--wire", choices=["data", "url"], default="data")
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--images", type=int, default=100_000)
    options = parser.parse_args()
    if options.case == "serve":
        serve(options.port)
        return
    home = Path(tempfile.mkdtemp(prefix="ima2-bench-"))
    try:
        if options.case == "history":
            fill(home, options.images)
        with served(home) as (server, took):
            result = asyncio.run(CASES[options.case](server, took, options))
        print(json.dumps({"case": options.case, **result}))
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
