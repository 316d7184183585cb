"""Pictures go to a ComfyUI of this machine, whole, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.upstreams.comfy import running_comfy

import ima2
import ima2_plugins.comfy
import ima2_plugins.local_storage
from ima2.testing import picture
from ima2_plugins.comfy.upload import origin_of


async def export(client: httpx.AsyncClient, name: str) -> tuple[int, Any]:
    answer = await client.post("/api/comfy/export-image", json={"filename": name})
    body = answer.json()
    return answer.status_code, body["error"]["code"] if "error" in body else body


async def test_a_picture_arrives_as_it_is_stored(ima2_client: Any) -> None:
    async with running_comfy() as comfy:
        environ = {"IMA2_COMFY_URL": f"http://127.0.0.1:{comfy.port}"}
        async with ima2_client(comfy=ima2_plugins.comfy, environ=environ) as client:
            kept = await client.runtime.library.add(picture(), {"prompt": "secret words"}, name="my pic")
            status, told = await export(client, "my pic.png")
    assert (status, told) == (200, {"ok": True, "sourceFilename": "my pic.png", "uploadedFilename": "stored.png"})
    ((head, body),) = comfy.requests
    assert head.startswith("POST /upload/image HTTP/1.1")
    assert kept.picture.data in body
    assert b'name="type"\r\n\r\ninput\r\n' in body
    assert b'name="image"; filename="ima2_' in body
    assert b"_my-pic.png" in body


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "302 Found"},
        {"status": "500 No"},
        {"answer": {"type": "input"}},
        {"answer": ["x"]},
        {"answer": b"no json"},
        {"answer": b"x" * 100_000},
        {"delay": 2.0},
    ],
)
async def test_whatever_comfyui_does_wrong_is_one_failure(ima2_client: Any, wrong: dict[str, Any]) -> None:
    async with running_comfy(**wrong) as comfy:
        url = f"http://127.0.0.1:{comfy.port}"
        environ = {"IMA2_COMFY_URL": url, "IMA2_COMFY_UPLOAD_TIMEOUT_MS": "400"}
        async with ima2_client(comfy=ima2_plugins.comfy, environ=environ) as client:
            await client.runtime.library.add(picture(), {}, name="a")
            assert await export(client, "a.png") == (502, "COMFY_UPLOAD_FAILED")
    assert len(comfy.requests) == 1


async def test_nobody_listening_is_told_with_the_address(ima2_client: Any) -> None:
    environ = {"IMA2_COMFY_URL": "http://127.0.0.1:9"}
    async with ima2_client(comfy=ima2_plugins.comfy, environ=environ) as client:
        await client.runtime.library.add(picture(), {}, name="a")
        answer = await client.post("/api/comfy/export-image", json={"filename": "a.png"})
    assert (answer.status_code, answer.json()["ok"]) == (502, False)
    assert "127.0.0.1:9" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8188",
        "http://example.com:8188",
        "http://127.0.0.1",
        "http://127.0.0.1.:8188",
        "http://127.1:8188",
        "http://0x7f000001:8188",
        "http://0.0.0.0:8188",
        "http://user@127.0.0.1:8188",
        "http://127.0.0.1:8188/path",
        "http://127.0.0.1:8188?x",
        "http://127.0.0.1:8188#x",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://localhost:8188@evil:1",
        "http://[::2]:8188",
        "",
    ],
)
def test_only_this_machine_is_sent_to(url: str) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        origin_of(url)
    assert (caught.value.code, caught.value.status) == ("COMFY_URL_NOT_LOCAL", 400)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8188", "http://localhost:1/", "http://[::1]:65535"])
def test_this_machine_has_three_names(url: str) -> None:
    assert origin_of(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "..%2fa.png",
        "a%5cb.png",
        "a\\b.png",
        "/etc/passwd",
        "C:a.png",
        "sub/a.png",
        "a.png\x00",
        ".a.png",
        "a..png",
    ],
)
async def test_a_name_leads_nowhere_but_to_the_top_of_the_gallery(ima2_client: Any, name: str) -> None:
    async with ima2_client(comfy=ima2_plugins.comfy) as client:
        assert await export(client, name) == (400, "COMFY_IMAGE_INVALID")


async def test_links_large_files_and_other_files_stay_here(ima2_client: Any, tmp_path: Path) -> None:
    environ = {"IMA2_GENERATED_DIR": str(tmp_path / "g"), "IMA2_COMFY_MAX_UPLOAD_BYTES": "2000"}
    parts = {"comfy": ima2_plugins.comfy, "local_storage": ima2_plugins.local_storage}
    async with ima2_client(environ=environ, **parts) as client:
        (tmp_path / "outside.png").write_bytes(picture().data)
        (tmp_path / "g" / "link.png").symlink_to(tmp_path / "outside.png")
        (tmp_path / "g" / "large.png").write_bytes(picture().data + bytes(2000))
        (tmp_path / "g" / "words.png").write_bytes(b"no picture")
        (tmp_path / "g" / "folder.png").mkdir()
        assert (await export(client, "link.png"))[0] in (400, 404)
        assert (await export(client, "folder.png"))[0] in (400, 404)
        assert await export(client, "large.png") == (400, "COMFY_IMAGE_INVALID")
        assert await export(client, "words.png") == (400, "COMFY_IMAGE_INVALID")
        assert await export(client, "gone.png") == (404, "COMFY_IMAGE_NOT_FOUND")
