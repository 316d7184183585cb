"""Keys of any provider: checked, tried out, stored, shown masked, removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.accounts.conftest import Open

import ima2

KEY = "ac-0123456789abcdef"
FILE = json.dumps({"type": "acme_account", "project_id": "kite-1", "private_key": "hush"})


def stored(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "home" / "config.json").read_text())


async def test_a_key_that_is_accepted_is_stored_masked_and_used_at_once(studio: Open, tmp_path: Path) -> None:
    async with studio() as one:
        status, answer = await one.call("PUT", "/api/keys/acme", apiKey=f"  {KEY} ")
        assert (status, answer["ok"], answer["source"]) == (200, True, "config")
        assert one.acme.tried == [{"key": KEY}]
        assert one.acme.settings.api_key.get_secret_value() == KEY
        _, listed = await one.call("GET", "/api/keys/status")
        assert {"configured": True, "source": "config", "maskedKey": "ac-0..ef"}.items() <= listed["acme"].items()
        assert KEY not in json.dumps(listed)
    assert stored(tmp_path) == {"acmeKey": KEY, "acmeMode": "key"}
    assert (tmp_path / "home" / "config.json").stat().st_mode & 0o777 == 0o600


async def test_what_others_wrote_into_config_json_stays(studio: Open, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.json").write_text('{"of": {"somebody": [1]}}')
    async with studio() as one:
        await one.call("PUT", "/api/keys/acme", apiKey=KEY)
        await one.call("DELETE", "/api/keys/acme")
    assert stored(tmp_path) == {"of": {"somebody": [1]}}


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("nobody", {"apiKey": KEY}, "INVALID_PROVIDER"),
        ("acme", {}, "MISSING_KEY"),
        ("acme", {"apiKey": "  "}, "MISSING_KEY"),
        ("acme", {"apiKey": "ac-" + "a" * 512}, "KEY_TOO_LARGE"),
        ("acme", {"apiKey": "sk-other"}, "INVALID_KEY_FORMAT"),
        ("acmefile", {"serviceAccountJson": {"type": "acme_account"}}, "MISSING_KEY"),
        ("acmefile", {"serviceAccountJson": "{"}, "INVALID_JSON"),
        ("acmefile", {"serviceAccountJson": "null"}, "INVALID_ACME_ACCOUNT"),
        ("acmefile", {"serviceAccountJson": '{"type": "acme_account"}'}, "INVALID_ACME_ACCOUNT"),
        ("acmefile", {"serviceAccountJson": "x" * 51_201}, "KEY_TOO_LARGE"),
    ],
)
async def test_what_is_no_key_is_refused_before_anyone_is_asked(
    name: str, body: dict[str, Any], code: str, studio: Open, tmp_path: Path
) -> None:
    async with studio() as one:
        status, answer = await one.call("PUT", f"/api/keys/{name}", **body)
        assert (status, answer["code"], answer["ok"], one.acme.tried) == (400, code, False, [])
    assert not (tmp_path / "home" / "config.json").exists()


async def test_a_key_that_is_refused_upstream_is_not_stored(studio: Open) -> None:
    async with studio() as one:
        one.acme.state = "auth_required"
        status, answer = await one.call("PUT", "/api/keys/acme", apiKey=KEY, unchecked=True)
        assert (status, answer["code"]) == (400, "KEY_VALIDATION_FAILED")
        assert KEY not in json.dumps(answer)
        assert (await one.call("GET", "/api/keys/status"))[1]["acme"]["configured"] is False


@pytest.mark.parametrize("state", ["offline", "error", ima2.Ima2Error("X", 500, "no"), RuntimeError(KEY)])
async def test_where_the_upstream_cannot_be_asked_the_person_decides(state: Any, studio: Open) -> None:
    async with studio() as one:
        one.acme.state = state
        status, answer = await one.call("PUT", "/api/keys/acme", apiKey=KEY)
        assert (status, answer["code"]) == (502, "KEY_NOT_VALIDATED")
        assert KEY not in json.dumps(answer)
        assert (await one.call("GET", "/api/keys/status"))[1]["acme"]["configured"] is False
        assert (await one.call("PUT", "/api/keys/acme", apiKey=KEY, unchecked=True))[0] == 200


async def test_a_key_of_the_environment_is_neither_replaced_nor_removed(studio: Open) -> None:
    async with studio(ACME_KEY="ac-from-the-environment") as one:
        for method in ("PUT", "DELETE"):
            status, answer = await one.call(method, "/api/keys/acme", apiKey=KEY)
            assert (status, answer["code"]) == (400, "ENV_KEY_IMMUTABLE")
        assert one.acme.tried == []
        assert (await one.call("GET", "/api/keys/status"))[1]["acme"]["source"] == "env"


async def test_a_key_file_is_selected_when_it_is_stored_and_given_up_when_it_is_removed(
    studio: Open, tmp_path: Path
) -> None:
    async with studio() as one:
        _, answer = await one.call("PUT", "/api/keys/acmefile", serviceAccountJson=FILE)
        assert (answer["projectId"], one.acme.settings.mode) == ("kite-1", "file")
        _, listed = await one.call("GET", "/api/keys/status")
        assert listed["acmefile"]["maskedKey"] == "project: kite-1"
        assert "hush" not in json.dumps(listed)
        await one.call("DELETE", "/api/keys/acmefile")
        assert (one.acme.settings.file, one.acme.settings.mode) == (None, "")


async def test_a_choice_that_suits_already_stays(studio: Open, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.json").write_text('{"acmeMode": "other"}')
    async with studio() as one:
        await one.call("PUT", "/api/keys/acme", apiKey=KEY)
        assert one.acme.settings.mode == "other"


async def test_a_choice_of_the_environment_does_not_hinder_storing(studio: Open) -> None:
    async with studio(ACME_MODE="file") as one:
        assert (await one.call("PUT", "/api/keys/acme", apiKey=KEY))[0] == 200
        assert one.acme.settings.mode == "file"


async def test_a_damaged_config_json_is_told_and_left_as_it_is(studio: Open, tmp_path: Path) -> None:
    async with studio() as one:
        (tmp_path / "home" / "config.json").write_text('{"half": ')
        status, answer = await one.call("PUT", "/api/keys/acme", apiKey=KEY)
        assert (status, answer["code"]) == (500, "CONFIG_INVALID")
        assert KEY not in json.dumps(answer)
    assert (tmp_path / "home" / "config.json").read_text() == '{"half": '
