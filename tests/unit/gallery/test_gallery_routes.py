"""What the page does with pictures that are there, over HTTP."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import ima2_plugins.gallery
import ima2_plugins.local_storage
import ima2_plugins.pillow_thumbs
from ima2.media.embed import embed
from ima2.testing import picture

PNG = {"content-type": "image/png"}


@pytest.fixture
async def client(ima2_client: Any) -> AsyncIterator[httpx.AsyncClient]:
    plugins = {
        "gallery": ima2_plugins.gallery,
        "local_storage": ima2_plugins.local_storage,
        "thumbs": ima2_plugins.pillow_thumbs,
    }
    async with ima2_client(**plugins) as client:
        yield client


def library(client: Any) -> Any:
    return client.runtime.library


async def bring(client: httpx.AsyncClient, name: str = "", **options: Any) -> dict[str, Any]:
    headers = {**PNG, **({"x-ima2-original-filename": name} if name else {})}
    answer = await client.post("/api/history/import-local", content=picture(**options).data, headers=headers)
    assert answer.status_code == 201, answer.text
    item: dict[str, Any] = answer.json()["item"]
    return item


async def names(client: httpx.AsyncClient) -> list[str]:
    return [row["filename"] for row in (await client.get("/api/history")).json()["items"]]


async def test_a_picture_that_is_brought_in_is_on_top_and_has_a_thumbnail(client: httpx.AsyncClient) -> None:
    item = await bring(client, "..%2Fcaf%C3%A9%20photo.png")
    assert item["filename"].startswith("imported-2")
    assert item["url"] == item["image"] == item["thumb"] == f"/generated/{item['filename']}"
    await library(client).thumbs.settled()
    (row,) = (await client.get("/api/history")).json()["items"]
    assert (row["filename"], row["kind"], row["provider"]) == (item["filename"], "imported", None)
    assert row["thumb"].endswith(".thumb.jpg")
    kept = await library(client).get(item["filename"])
    assert kept.facts["original_filename"] == "café photo.png"


async def test_a_picture_is_not_changed_but_for_its_metadata(client: httpx.AsyncClient) -> None:
    item = await bring(client)
    stored = (await client.get(item["url"])).content
    assert stored == embed(picture().data, {**_payload(stored)})


def _payload(data: bytes) -> dict[str, Any]:
    import ima2

    return ima2.read_metadata(data)[0] or {}


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"", "image/png", "EMPTY_IMPORT"),
        (picture().data, "application/octet-stream", "EMPTY_IMPORT"),
        (picture().data, "image/gif", "EMPTY_IMPORT"),
        (b"this is certainly not a picture", "image/png", "IMPORT_BAD_FORMAT"),
        (picture().data[:-20], "image/png", "IMPORT_BAD_FORMAT"),
        (base64.b64encode(picture().data), "image/png", "IMPORT_BAD_FORMAT"),
    ],
)
async def test_what_is_no_picture_is_not_brought_in(
    client: httpx.AsyncClient, data: bytes, kind: str, code: str
) -> None:
    answer = await client.post("/api/history/import-local", content=data, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await names(client) == []


async def test_a_picture_goes_to_the_trash_and_comes_back(client: httpx.AsyncClient) -> None:
    older, newer = await bring(client), await bring(client)
    gone = (await client.delete(f"/api/history/{newer['filename']}")).json()
    assert (gone["ok"], gone["trash"], gone["undoableInApp"]) == (True, "internal", True)
    assert await names(client) == [older["filename"]]
    assert (await client.delete(f"/api/history/{newer['filename']}")).json()["code"] == "ASSET_NOT_FOUND"
    back = await client.post(f"/api/history/{newer['filename']}/restore", json={"trashId": gone["trashId"]})
    assert back.json() == {"ok": True, "filename": newer["filename"]}
    assert set(await names(client)) == {older["filename"], newer["filename"]}


async def test_a_picture_of_a_folder_is_erased_for_good(client: httpx.AsyncClient) -> None:
    await library(client).keep("set/a.png", picture(), {"prompt": "p"})
    answer = await client.delete("/api/history/set%2Fa.png/permanent")
    assert answer.json() == {"ok": True, "filename": "set/a.png", "sessionsTouched": 0, "nodesTouched": 0}
    assert await names(client) == []
    assert (await client.delete("/api/history/set%2Fa.png/permanent")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("..%2F..%2Fetc%2Fpasswd", 400),
        ("%2Fetc%2Fpasswd/permanent", 400),
        ("a%00.png", 400),
        ("%2E", 400),
        (".trash", 400),
        ("no-such-file.png", 404),
        ("cardnews%2Fcs_none%2Fcard-01.png/permanent", 404),
        ("cardnews%2Fmanifest.json", 404),
        ("cardnews", 404),
        ("a.thumb.jpg", 404),
    ],
)
async def test_only_pictures_of_the_gallery_can_be_taken_away(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    for name in ("cardnews/manifest.json", "a.thumb.jpg"):
        await library(client).storage.put(name, b"{}")
    answer = await client.delete(f"/api/history/{path}")
    assert answer.status_code == status
    assert answer.json()["code"] == {400: "INVALID_FILENAME", 404: "ASSET_NOT_FOUND"}[status]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"trashId": 5}, 400),
        ({"trashId": "..%2F..%2Fx"}, 400),
        ({"trashId": "../x"}, 400),
        ({"trashId": "1_a"}, 404),
    ],
)
async def test_nothing_comes_back_that_is_not_in_the_trash(
    client: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    answer = await client.post("/api/history/a.png/restore", json=body)
    assert answer.status_code == status


async def test_missing_thumbnails_are_made_once_and_failures_are_named(client: httpx.AsyncClient) -> None:
    folder: Path = library(client).storage.folder
    for name in ("a.png", "set/b.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(picture().data)
    (folder / "bad.png").write_bytes(picture().data[:60])
    first = (await client.post("/api/history/backfill-thumbnails")).json()
    assert (first["ok"], first["total"], first["created"], first["skipped"], first["failed"]) == (True, 3, 2, 0, 1)
    assert [(one["file"], one["kind"]) for one in first["failures"]] == [("bad.png", "image")]
    second = (await client.post("/api/history/backfill-thumbnails")).json()
    assert (second["created"], second["skipped"], second["failed"]) == (0, 2, 1)
    assert (folder / "set" / "b.thumb.jpg").exists()


def url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


async def test_metadata_is_read_from_a_picture(client: httpx.AsyncClient) -> None:
    made = embed(picture().data, {"prompt": 'a "fox" & <friends>', "size": "64x48"})
    answer = (await client.post("/api/metadata/read", json={"dataUrl": url(made)})).json()
    assert (answer["ok"], answer["source"]) == (True, "xmp")
    assert (answer["metadata"]["prompt"], answer["metadata"]["size"]) == ('a "fox" & <friends>', "64x48")


async def test_a_plain_picture_has_no_metadata(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/api/metadata/read", json={"dataUrl": url(picture().data)})).json()
    assert (answer["ok"], answer["metadata"], answer["code"]) == (True, None, "IMAGE_METADATA_NOT_FOUND")
    assert answer["warnings"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "IMAGE_METADATA_INVALID"),
        ({"dataUrl": 5}, 400, "IMAGE_METADATA_INVALID"),
        ({"dataUrl": "data:image/png,plain"}, 400, "IMAGE_METADATA_INVALID"),
        ({"dataUrl": url(b"GIF89a", "image/gif")}, 400, "IMAGE_METADATA_UNSUPPORTED_FORMAT"),
        ({"dataUrl": url(b"not a picture")}, 400, "IMAGE_METADATA_INVALID"),
        ({"dataUrl": "data:image/png;base64," + "A" * 12_582_916}, 413, "IMAGE_METADATA_TOO_LARGE"),
    ],
)
async def test_what_cannot_be_read_is_told(
    client: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post("/api/metadata/read", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["ok"]) == (status, code, False)


@pytest.mark.parametrize(("script", "status"), [("exit 0", 200), ("sleep 2", 200), ("exit 3", 500), (None, 500)])
async def test_the_folder_is_opened_by_the_desktops_own_program(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, status: int
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    if script is not None:
        (tools / "xdg-open").write_text(f'#!/bin/sh\necho "$1" >{tmp_path}/opened\n{script}\n')
        (tools / "xdg-open").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    else:
        monkeypatch.setenv("PATH", str(tools))
    answer = await client.post("/api/storage/open-generated-dir")
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"ok": True}
        assert (tmp_path / "opened").read_text().strip() == str(library(client).storage.folder)
    else:
        assert answer.json()["error"]["code"] == "OPEN_GENERATED_DIR_FAILED"
