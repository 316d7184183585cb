"""Tables of plugins are joined to the gallery in SQL, before paging."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.unit.library.listing import listed, names

from ima2 import Facet, LibraryQuery
from ima2.database.sqlite import Database
from ima2.kernel.registry import Registry
from ima2.library import Gallery, pages
from ima2.testing import picture
from ima2_plugins.agent.tables import SESSIONS as CONVERSATIONS
from ima2_plugins.agent.tables import TITLES
from ima2_plugins.favorites.table import FACET, toggle
from ima2_plugins.graph.tables import FACET as GRAPHS
from ima2_plugins.graph.tables import SESSIONS

MINE = {"browser_id": "b1"}
ONLY = {"favoritesOnly": "1"}


async def mark(database: Database, *keys: str, browser: str = "b1") -> None:
    await database.write(lambda connection: [toggle(connection, browser, key) for key in keys])


async def fill(library: Gallery, count: int) -> None:
    for number in range(count):
        await library.keep(f"{number}.png", picture(), {"created_at": number + 1, "session_id": f"s{number % 2}"})


async def test_favourites_are_those_of_the_browser_that_asks(
    library: Gallery, registry: Registry, database: Database
) -> None:
    registry.facets.append(("favorites", FACET))
    await fill(library, 4)
    await mark(database, "1.png", "3.png")
    await mark(database, "2.png", browser="b2")
    assert await names(library, filters=ONLY, scope=MINE) == ["3.png", "1.png"]
    assert await names(library, filters=ONLY, scope={"browser_id": "b2"}) == ["2.png"]
    assert await names(library, filters=ONLY) == []
    rows = await listed(library, scope=MINE)
    assert [row["isFavorite"] for row in rows] == [True, False, True, False]
    assert [row["isFavorite"] for row in await listed(library)] == [False] * 4


async def test_filters_come_before_paging_and_join_with_the_others(
    library: Gallery, registry: Registry, database: Database
) -> None:
    registry.facets.append(("favorites", FACET))
    await fill(library, 9)
    await mark(database, "0.png", "2.png", "5.png", "8.png")
    rows, more = await library.rows(LibraryQuery(limit=2, filters={"favoritesOnly": "true"}, scope=MINE))
    assert ([row.key for row in rows], more) == (["8.png", "5.png"], True)
    rest = LibraryQuery(limit=2, before=6, before_key="5.png", filters=ONLY, scope=MINE)
    rows, more = await library.rows(rest)
    assert ([row.key for row in rows], more) == (["2.png", "0.png"], False)
    assert await names(library, session_id="s1", filters=ONLY, scope=MINE) == ["5.png"]


@pytest.mark.parametrize(("few", "many", "looked_at"), [(100, 200, 9), (2, 100, 9), (2, 100, 3), (0, 1, 1)])
async def test_every_way_of_reading_gives_the_same_page(
    library: Gallery,
    registry: Registry,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    many: int,
    looked_at: int,
) -> None:
    for name, value in (("FEW", few), ("MANY", many), ("LOOKED_AT", looked_at)):
        monkeypatch.setattr(pages, name, value)
    registry.facets.append(("favorites", FACET))
    await fill(library, 9)
    await mark(database, *(f"{number}.png" for number in range(0, 9, 2)), "gone.png")
    rows, more = await library.rows(LibraryQuery(limit=3, filters=ONLY, scope=MINE))
    assert ([row.key for row in rows], more) == (["8.png", "6.png", "4.png"], True)
    rest = LibraryQuery(limit=3, before=5, before_key="4.png", filters=ONLY, scope=MINE, session_id="s0")
    rows, more = await library.rows(rest)
    assert ([row.key for row in rows], more) == (["2.png", "0.png"], False)


async def test_a_filter_that_is_off_or_unknown_filters_nothing(
    library: Gallery, registry: Registry, database: Database
) -> None:
    registry.facets.append(("favorites", FACET))
    await fill(library, 2)
    for filters in ({"favoritesOnly": "0"}, {"favoritesOnly": "false"}, {"unheardOf": "1"}):
        assert len(await names(library, filters=filters, scope=MINE)) == 2
    assert library.filters() == {"favoritesOnly"}


async def test_a_column_is_compared_and_shown(library: Gallery, registry: Registry, database: Database) -> None:
    tags = sa.Table("tags", sa.MetaData(), sa.Column("file", sa.Text), sa.Column("tag", sa.Text))
    await database.write(lambda connection: tags.metadata.create_all(connection))
    rows = [{"file": "0.png", "tag": "sea"}, {"file": "1.png", "tag": "sky"}, {"file": "2.png", "tag": "sea"}]
    await database.write(lambda connection: connection.execute(sa.insert(tags), rows))
    registry.facets.append(("tags", Facet(tags.c.file, filters={"tag": tags.c.tag}, rows={"tag": tags.c.tag})))
    await fill(library, 4)
    assert await names(library, filters={"tag": "sea"}) == ["2.png", "0.png"]
    assert [row["tag"] for row in await listed(library)] == [None, "sea", "sky", "sea"]
    page = await library.page(LibraryQuery(filters={"tag": "sky"}))
    assert [item.facts["tag"] for item in page.items] == ["sky"]


async def test_a_session_has_the_title_of_the_graph_before_that_of_the_agent(
    library: Gallery, registry: Registry, database: Database
) -> None:
    registry.facets += [("graph", GRAPHS), ("agent", TITLES)]
    await fill(library, 3)
    times = {"created_at": 1, "updated_at": 1}
    await database.write(lambda c: c.execute(sa.insert(SESSIONS), {"id": "s1", "title": "Poster", **times}))
    agents = [{"id": "s1", "title": "Agent's", **times}, {"id": "s0", "title": "Chat", **times}]
    await database.write(lambda c: c.execute(sa.insert(CONVERSATIONS), agents))
    assert [row["sessionTitle"] for row in await listed(library)] == ["Chat", "Poster", "Chat"]


async def test_a_facet_cannot_change_the_rows_own_fields(
    library: Gallery, registry: Registry, database: Database
) -> None:
    registry.facets.append(("bad", Facet(FACET.key, rows={"prompt": FACET.key, "thumb": FACET.key})))
    await library.keep("0.png", picture(), {"prompt": "mine"})
    await mark(database, "0.png")
    assert [row["prompt"] for row in await listed(library)] == ["mine"]


async def test_a_facet_whose_table_is_missing_leaves_the_others_standing(
    library: Gallery, registry: Registry, database: Database
) -> None:
    missing = sa.Table("nowhere", sa.MetaData(), sa.Column("file", sa.Text))
    registry.facets += [("broken", Facet(missing.c.file, rows={"lost": None})), ("favorites", FACET)]
    await fill(library, 1)
    await mark(database, "0.png")
    (row,) = await listed(library, scope=MINE)
    assert row["isFavorite"] is True
    assert "lost" not in row
