"""The prompt library over HTTP: prompts, folders, and whole collections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import ima2_plugins.prompts as plugin


@pytest.fixture
async def client(ima2_client: Any) -> AsyncIterator[Any]:
    async with ima2_client(prompts=plugin) as client:
        yield client


async def keep(client: Any, text: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/prompts", json={"text": text, **more})
    assert answer.status_code == 201, answer.text
    prompt: dict[str, Any] = answer.json()["prompt"]
    return prompt


async def folder(client: Any, name: str, parent: str | None = None) -> str:
    answer = await client.post("/api/prompts/folders", json={"name": name, "parentId": parent})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["folder"]["id"])


async def names(client: Any, **query: str) -> list[str]:
    return [one["name"] for one in (await client.get("/api/prompts", params=query)).json()["prompts"]]


async def test_a_prompt_is_found_by_a_part_of_its_name_text_or_tags(client: Any) -> None:
    await keep(client, "첫눈 내리는 궁궐", name="Palace", tags=["겨울"])
    await keep(client, "a 100% red_fox", name="Fox")
    assert await names(client, search="눈") == ["Palace"]
    assert await names(client, search="겨울") == ["Palace"]
    assert await names(client, search="PALACE") == ["Palace"]
    assert await names(client, search="100%") == ["Fox"]
    assert await names(client, search="d_f") == ["Fox"]
    assert await names(client, search="_") == ["Fox"]


async def test_a_change_that_knows_an_old_version_is_refused_and_shows_what_is_there(client: Any) -> None:
    seen = await keep(client, "one")
    path, match = f"/api/prompts/{seen['id']}", {"If-Match": f'"{seen["version"]}"'}
    assert (await client.patch(path, json={"text": "two"}, headers=match)).status_code == 200
    late = await client.patch(path, json={"text": "three"}, headers=match)
    assert (late.status_code, late.json()["code"], late.json()["prompt"]["text"]) == (409, "PROMPT_CHANGED", "two")
    assert (await client.patch(path, json={"text": "three"})).json()["prompt"]["text"] == "three"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "x" * 100_001}, "TEXT_INVALID"),
        ({"text": "a\x00b"}, "TEXT_INVALID"),
        ({"text": " \n "}, "TEXT_REQUIRED"),
        ({"text": "x", "name": "n" * 501}, "NAME_INVALID"),
        ({"text": "x", "tags": ["t"] + [str(n) for n in range(100)]}, "TAGS_INVALID"),
        ({"text": "x", "folderId": "../../etc"}, "FOLDER_NOT_FOUND"),
        ({"text": "x", "folderId": {"a": 1}}, "FOLDER_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_kept_is_refused(client: Any, body: dict[str, Any], code: str) -> None:
    answer = await client.post("/api/prompts", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await names(client) == []


@pytest.mark.parametrize("name", ["__root__", "__trash__"])
async def test_the_folders_of_the_system_cannot_be_removed_renamed_or_listed(client: Any, name: str) -> None:
    await keep(client, "before")
    assert (await client.delete(f"/api/prompts/folders/{name}")).status_code == 400
    assert (await client.patch(f"/api/prompts/folders/{name}", json={"name": "x"})).status_code == 400
    assert (await client.get("/api/prompts/folders")).json() == {"folders": []}
    await keep(client, "after")


async def test_an_unknown_folder_is_told(client: Any) -> None:
    assert (await client.delete("/api/prompts/folders/none")).status_code == 404
    assert (await client.patch("/api/prompts/folders/none", json={"name": "x"})).status_code == 404


async def test_folders_below_a_removed_one_move_up_and_keep_their_prompts(client: Any) -> None:
    upper = await folder(client, "Upper")
    inner = await folder(client, "Twin", upper)
    await folder(client, "twin")
    await keep(client, "inside", folderId=inner)
    assert (await client.delete(f"/api/prompts/folders/{upper}")).status_code == 200
    left = {one["name"]: one["parentId"] for one in (await client.get("/api/prompts/folders")).json()["folders"]}
    assert left == {"twin": "__root__", "Twin (2)": "__root__"}
    assert await names(client, folderId=inner) == ["inside"]


async def test_with_its_items_a_folder_goes_whole_and_its_prompts_lie_in_the_trash(client: Any) -> None:
    upper = await folder(client, "Upper")
    inner = await folder(client, "Inner", upper)
    await keep(client, "deep", folderId=inner)
    await client.delete(f"/api/prompts/folders/{upper}", params={"strategy": "deleteItems"})
    assert (await client.get("/api/prompts/folders")).json() == {"folders": []}
    assert await names(client) == []
    assert await names(client, folderId="__trash__") == ["deep"]


async def test_a_folder_cannot_be_moved_below_itself(client: Any) -> None:
    upper = await folder(client, "Upper")
    inner = await folder(client, "Inner", upper)
    answer = await client.patch(f"/api/prompts/folders/{upper}", json={"parentId": inner})
    assert (answer.status_code, answer.json()["code"]) == (400, "FOLDER_CYCLE")


async def test_what_was_exported_comes_back_in_another_library(client: Any, ima2_client: Any, tmp_path: Any) -> None:
    upper = await folder(client, "Upper")
    inner = await folder(client, "Inner", upper)
    await keep(client, "deep", folderId=inner, tags=["t"], mode="direct")
    gone = await keep(client, "thrown away")
    await client.delete(f"/api/prompts/{gone['id']}")
    document = (await client.get("/api/prompts/export")).json()
    assert document["version"] == 1
    assert [one["text"] for one in document["prompts"]] == ["deep"]
    document["folders"].reverse()
    async with ima2_client(prompts=plugin, environ={"IMA2_CONFIG_DIR": str(tmp_path / "other")}) as other:
        counts = (await other.post("/api/prompts/import", json=document)).json()
        assert (counts["foldersCreated"], counts["promptsImported"], counts["skipped"]) == (2, 1, [])
        again = (await other.get("/api/prompts/export")).json()
        assert {**again, "exportedAt": 0} == {**document, "folders": again["folders"], "exportedAt": 0}
        twice = (await other.post("/api/prompts/import", json=document)).json()
        assert (twice["foldersCreated"], twice["promptsImported"], twice["duplicatesSkipped"]) == (0, 0, 1)


async def test_one_bad_entry_never_stops_the_others_and_is_told(client: Any) -> None:
    entries = [7, {"text": "good"}, {"name": "no text"}, {"text": "x" * 100_001}, {"text": "better", "tags": "none"}]
    folders = [{"name": ""}, None, {"id": "a", "name": "A", "parentId": "b"}, {"id": "b", "name": "B", "parentId": "a"}]
    answer = (await client.post("/api/prompts/import", json={"prompts": entries, "folders": folders})).json()
    assert (answer["promptsImported"], answer["foldersCreated"]) == (2, 2)
    left = [(one["kind"], one["index"]) for one in answer["skipped"]]
    assert sorted(left) == [("folder", 0), ("folder", 1), ("prompt", 0), ("prompt", 2), ("prompt", 3)]
    assert sorted(await names(client)) == ["better", "good"]


async def test_a_row_whose_tags_are_broken_is_still_shown(client: Any) -> None:
    kept = await keep(client, "odd")
    statement = f"UPDATE prompts SET tags = '{{[' WHERE id = '{kept['id']}'"
    await client.runtime.database.write(lambda connection: connection.exec_driver_sql(statement))
    assert (await client.get(f"/api/prompts/{kept['id']}")).json()["prompt"]["tags"] == []
    assert await names(client) == ["odd"]


async def test_a_library_without_its_system_folders_repairs_itself(client: Any) -> None:
    await keep(client, "one")
    await client.runtime.database.write(
        lambda connection: connection.exec_driver_sql("DELETE FROM prompt_folders WHERE id = '__trash__'")
    )
    await client.delete("/api/prompts/none")
    await keep(client, "two")
    assert sorted(await names(client)) == ["one", "two"]
