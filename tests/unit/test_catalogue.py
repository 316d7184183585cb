"""What can be asked of a process, told from what providers, plugins and settings declare."""

from __future__ import annotations

from typing import Any

import click
import pytest

from ima2.catalogue import join
from ima2.cli import cli
from ima2.command_table import BUILTIN, SUBCOMMANDS, command_names
from ima2.runtime import assemble


async def ask(client: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get("/api/capabilities")).json()
    return answer


class Sea:
    """A plugin with a setting and blocks of its own."""

    @staticmethod
    def make() -> Any:
        from types import ModuleType

        from pydantic import BaseModel, SecretStr

        import ima2

        class Settings(BaseModel):
            depth: int = ima2.setting(3, env="SEA_DEPTH", key="sea.depth")
            api_key: SecretStr | None = ima2.setting(None, env="SEA_KEY", key="seaKey")

        @ima2.hookimpl
        def ima2_settings() -> type[BaseModel]:
            return Settings

        @ima2.hookimpl
        def ima2_capabilities() -> dict[str, Any]:
            return {"tides": {"available": True}, "guidance": {"tides": "wait", "video": "mine"}, "version": "mine"}

        plugin = ModuleType("sea")
        vars(plugin).update(ima2_settings=ima2_settings, ima2_capabilities=ima2_capabilities)
        return plugin


async def test_the_keys_that_may_be_written_are_those_of_the_settings(ima2_client: Any) -> None:
    async with ima2_client(sea=Sea.make()) as client:
        keys = (await ask(client))["configKeys"]
    assert {"server.port", "log.level", "sea.depth", "plugins.sea.api_key"} <= set(keys["writable"])
    assert not {"provider", "seaKey"} & set(keys["writable"])
    assert keys["envOverrides"]["sea.depth"] == "SEA_DEPTH"
    assert keys["envOverrides"]["server.port"] == "IMA2_PORT"


async def test_what_a_plugin_adds_joins_the_answer_and_replaces_nothing(ima2_client: Any) -> None:
    async with ima2_client(sea=Sea.make()) as client:
        answer = await ask(client)
    assert answer["tides"] == {"available": True}
    assert answer["guidance"]["tides"] == "wait"
    assert "mine" not in {answer["guidance"]["video"], answer["version"]}


def test_documents_join_at_every_depth() -> None:
    assert join({"a": {"b": 1}, "c": 2}, {"a": {"b": 3, "d": 4}, "c": {"e": 5}, "f": 6}) == {
        "a": {"b": 1, "d": 4},
        "c": 2,
        "f": 6,
    }


def test_the_commands_that_are_told_are_those_that_there_are() -> None:
    ctx = click.Context(cli)
    found: dict[str, str] = {}
    for name in BUILTIN:
        command = cli.get_command(ctx, name)
        if isinstance(command, click.Group):
            found[name] = " ".join(sorted(command.commands))
    assert found == SUBCOMMANDS
    assert {"gen", "node", "node generate", "video frame", "inflight ls"} <= set(command_names())


@pytest.mark.parametrize("key", ["features.cardNews", "oauth.restartDelayMs"])
def test_keys_of_ima2_gen_are_kept_though_nothing_here_reads_them(key: str, tmp_path: Any) -> None:
    from ima2.catalogue import config_keys

    booted = assemble(environ={"IMA2_CONFIG_DIR": str(tmp_path), "IMA2_PLUGINS": "ima2_gen"}).booted
    models = {name: type(ctx.settings) for name, ctx in booted.contexts.items()}
    assert key in config_keys(models)["writable"]
