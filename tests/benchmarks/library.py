"""Pages of a large gallery: `python tests/benchmarks/library.py [--images 100000]`.

Prints one JSON object: for each kind of page the median and the longest time of fifteen, in milliseconds. Favourites
stand for any facet: few, some and many of them, and some that are all old.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ima2 import LibraryQuery, Tables
from ima2.database.sqlite import Database
from ima2.database.tables import TABLES
from ima2.kernel.registry import Registry
from ima2.library import Gallery
from ima2.library.index import entry_of
from ima2.testing import MemoryStorage
from ima2_plugins.favorites.table import FACET, FAVORITES

FIRST = 1_700_000_000_000
"""When the oldest picture was made (milliseconds); one a second follows."""


def name(number: int) -> str:
    """The file name of picture ``number``."""
    return f"{FIRST + number * 1000}_0a1b2c3d_0.png"


async def fill(library: Gallery, database: Database, images: int) -> None:
    """Index pictures without files, and mark some of them."""
    for start in range(0, images, 5000):
        numbers = range(start, min(images, start + 5000))
        facts = [
            {"prompt": "a lighthouse on a cliff " * 5, "createdAt": FIRST + n * 1000, "sessionId": f"s{n % 500}"}
            for n in numbers
        ]
        await library.index.put([entry_of(name(n), one, 1, 2, 3) for n, one in zip(numbers, facts, strict=True)])
    draw = random.Random(3)
    marks = {
        "few": draw.sample(range(images), min(20, images)),
        "some": draw.sample(range(images), images // 60),
        "many": draw.sample(range(images), images // 2),
        "old": range(images // 33),
    }
    rows = [
        {"id": f"{browser}{number}", "browser_id": browser, "filename": name(number)}
        for browser, numbers in marks.items()
        for number in numbers
    ]
    await database.write(lambda connection: connection.execute(sa.insert(FAVORITES), rows))


async def timed(library: Gallery, query: LibraryQuery) -> dict[str, float]:
    """Median and longest of fifteen reads."""
    times = []
    for _ in range(15):
        began = time.perf_counter()
        await library.rows(query)
        times.append((time.perf_counter() - began) * 1000)
    return {"p50": round(statistics.median(times), 1), "max": round(max(times), 1)}


async def main(images: int) -> None:
    """Fill a gallery and read it in every way."""
    pages: dict[str, dict[str, Any]] = {
        "first": {},
        "first of 500": {"limit": 500},
        "next": {"before": FIRST + images * 500, "before_key": "x"},
        "session": {"session_id": "s7"},
    }
    for browser in ("few", "some", "many", "old", "none"):
        mine = {"filters": {"favoritesOnly": "1"}, "scope": {"browser_id": browser}}
        pages[f"favourites: {browser}"] = mine
        pages[f"favourites: {browser}, next"] = {**mine, "before": FIRST + images * 500, "before_key": "x"}
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "bench.db")
        await database.open([("ima2", TABLES), ("favorites", Tables(FAVORITES.metadata))])
        library = Gallery(MemoryStorage(), database, Registry(facets=[("favorites", FACET)]))
        await library.open()
        await fill(library, database, images)
        result = {label: await timed(library, LibraryQuery(**query)) for label, query in pages.items()}
        await library.close()
        await database.close()
    print(json.dumps({"images": images, "pages_ms": result}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    asyncio.run(main(parser.parse_args().images))
