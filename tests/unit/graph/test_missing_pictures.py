"""Nodes whose picture is gone are marked, and only those."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.graph.saving import node, save

from ima2_plugins.graph.missing_pictures import key_of


async def test_the_nodes_that_show_a_file_are_marked_and_no_others(client: Any, session: str) -> None:
    nodes = [
        node("a", imageUrl="/generated/a.png", status="ready"),
        node("again", imageUrl="http://localhost:3333/generated/a.png?v=2", status="ready"),
        node("longer", imageUrl="/generated/aa.png", status="ready"),
        node("words", prompt="draw a.png", status="ready"),
    ]
    await save(client, session, 0, nodes)
    counts = await client.runtime.library.announce_removal(["a.png"])
    assert counts == {"sessionsTouched": 1, "nodesTouched": 2}
    found = (await client.get(f"/api/sessions/{session}")).json()["session"]
    assert found["graphVersion"] == 2
    states = {one["id"]: (one["data"].get("imageUrl"), one["data"]["status"]) for one in found["nodes"]}
    assert states["a"] == states["again"] == (None, "asset-missing")
    assert states["longer"] == ("/generated/aa.png", "ready")
    assert states["words"] == (None, "ready")
    assert await client.runtime.library.announce_removal(["a.png"]) == {"sessionsTouched": 0, "nodesTouched": 0}


async def test_names_in_folders_and_with_blanks_are_found_in_their_encoded_form(client: Any, session: str) -> None:
    await save(client, session, 0, [node("a", imageUrl="/generated/set/my%20card.png")])
    assert (await client.runtime.library.announce_removal(["set/my card.png"]))["nodesTouched"] == 1


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("/generated/a.png", "a.png"),
        ("https://host/generated/b%2Fc.png#x", "b/c.png"),
        ("data:image/png;base64,AAAA", None),
        ("http://[bad", None),
        (None, None),
    ],
)
def test_the_file_of_an_address(url: object, key: str | None) -> None:
    assert key_of(url) == key
