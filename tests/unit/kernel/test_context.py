"""What a plugin is handed: live settings, state, events and what comes once the process is open."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr

import ima2
from ima2.testing import EchoProvider, RecordingSink, plugin


class Taste(BaseModel):
    warmth: int = ima2.setting(5, ge=0, le=10, env="TASTE_WARMTH", key="taste.warmth")
    api_key: SecretStr | None = ima2.setting(None)
    words: list[str] = Field(default_factory=list)


class Configured(EchoProvider):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []

    async def reconfigure(self, settings: object) -> None:
        self.taken.append(settings)


def taste(contexts: list[ima2.PluginContext], provider: Any) -> Any:
    def providers(ctx: ima2.PluginContext) -> list[Any]:
        contexts.append(ctx)
        return [provider]

    return plugin(settings=Taste, providers=providers)


async def test_a_setting_that_is_changed_is_stored_seen_and_taken_up(ima2_runtime: Any, tmp_path: Path) -> None:
    contexts: list[ima2.PluginContext] = []
    provider = Configured()
    async with ima2_runtime(taste=taste(contexts, provider)):
        (ctx,) = contexts
        await ctx.set("warmth", 7)
        await ctx.set("api_key", "hush")
        assert (ctx.settings.warmth, ctx.sources) == (7, {"warmth": "config", "api_key": "config"})
        assert [one.warmth for one in provider.taken] == [7, 7]
        assert provider.taken[1].api_key.get_secret_value() == "hush"
        file = tmp_path / "home" / "config.json"
        assert json.loads(file.read_text()) == {"taste": {"warmth": 7}, "plugins": {"taste": {"api_key": "hush"}}}
        await ctx.set("warmth", None)
        assert (ctx.settings.warmth, "warmth" in ctx.sources) == (5, False)
        assert "taste" not in json.loads(file.read_text())


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("warmth", 700, "SETTING_INVALID"),
        ("warmth", "hot", "SETTING_INVALID"),
        ("colour", 1, "UNKNOWN_SETTING"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    field: str, value: Any, code: str, ima2_runtime: Any, tmp_path: Path
) -> None:
    contexts: list[ima2.PluginContext] = []
    provider = Configured()
    async with ima2_runtime(taste=taste(contexts, provider)):
        with pytest.raises(ima2.Ima2Error) as caught:
            await contexts[0].set(field, value)
        assert (caught.value.code, caught.value.status) == (code, 400)
        assert (contexts[0].settings.warmth, provider.taken) == (5, [])
        assert not (tmp_path / "home" / "config.json").exists()


async def test_a_variable_wins_and_is_named(ima2_runtime: Any) -> None:
    contexts: list[ima2.PluginContext] = []
    async with ima2_runtime(environ={"TASTE_WARMTH": "3"}, taste=taste(contexts, Configured())):
        with pytest.raises(ima2.Ima2Error, match="TASTE_WARMTH") as caught:
            await contexts[0].set("warmth", 4)
        assert caught.value.code == "SETTING_FROM_ENVIRONMENT"
        assert contexts[0].settings.warmth == 3


async def test_a_provider_that_does_not_take_a_change_up_keeps_running(
    ima2_runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Stubborn(EchoProvider):
        async def reconfigure(self, settings: object) -> None:
            raise RuntimeError("secret")

    contexts: list[ima2.PluginContext] = []
    async with ima2_runtime(taste=taste(contexts, Stubborn())) as runtime:
        await contexts[0].set("warmth", 1)
        assert contexts[0].settings.warmth == 1
        assert "echo" in runtime.registry.providers
    assert "did not take a new warmth" in caplog.text
    assert "secret" not in caplog.text


async def test_two_changes_at_once_are_both_kept(ima2_runtime: Any) -> None:
    contexts: list[ima2.PluginContext] = []
    async with ima2_runtime(taste=taste(contexts, Configured())):
        ctx = contexts[0]
        await asyncio.gather(ctx.set("warmth", 1), ctx.set("api_key", "a"), ctx.set("words", ["b"]))
        assert (ctx.settings.warmth, ctx.settings.words) == (1, ["b"])
        assert ctx.settings.api_key.get_secret_value() == "a"


async def test_all_hooks_of_a_plugin_share_one_state(ima2_runtime: Any) -> None:
    def providers(ctx: ima2.PluginContext) -> list[Any]:
        ctx.state.seen = ["providers"]
        return []

    def panels(ctx: ima2.PluginContext) -> list[Any]:
        ctx.state.seen.append("panels")
        return []

    def other(ctx: ima2.PluginContext) -> list[Any]:
        assert not hasattr(ctx.state, "seen")
        return []

    from ima2.kernel.collect import panels as ask

    async with ima2_runtime(one=plugin(providers=providers, panels=panels), two=plugin(panels=other)) as runtime:
        ask(runtime.booted)
        assert runtime.booted.contexts["one"].state.seen == ["providers", "panels"]
        assert runtime.booted.record("two").state == "ready"


async def test_before_the_process_is_open_its_studio_is_told_to_be_missing(ima2_runtime: Any) -> None:
    errors: list[ima2.Ima2Error] = []
    contexts: list[ima2.PluginContext] = []

    def providers(ctx: ima2.PluginContext) -> list[Any]:
        contexts.append(ctx)
        for name in ("studio", "library"):
            with pytest.raises(ima2.Ima2Error) as caught:
                getattr(ctx, name)
            errors.append(caught.value)
        return []

    async with ima2_runtime(early=plugin(providers=providers)) as runtime:
        assert [error.code for error in errors] == ["NOT_OPEN", "NOT_OPEN"]
        assert (contexts[0].studio, contexts[0].library) == (runtime.studio, runtime.library)


async def test_a_plugin_emits_below_its_own_name_and_hears_what_it_asked_for(ima2_runtime: Any) -> None:
    sink = RecordingSink()
    async with ima2_runtime(mine=plugin(event_sinks=[sink]), other=plugin(panels=[])) as runtime:
        mine, other = (runtime.booted.contexts[name] for name in ("mine", "other"))
        events, all_events = other.subscribe("mine.greeting"), other.subscribe()
        mine.emit("noise", {})
        mine.emit("greeting", {"hello": 1}, "job-1")
        async with asyncio.timeout(2):
            event = await anext(events)
            assert (await anext(all_events)).name == "mine.noise"
        assert (event.name, event.job_id, event.data, event.terminal) == ("mine.greeting", "job-1", {"hello": 1}, False)
    assert [one.name for one in sink.events] == ["mine.noise", "mine.greeting"]
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_a_plugin_cannot_end_the_job_of_another(ima2_runtime: Any) -> None:
    sink = RecordingSink()
    async with ima2_runtime(mine=plugin(event_sinks=[sink])) as runtime:
        ctx = runtime.booted.contexts["mine"]
        for event in (ima2.Event("done", "job-1", {}), ima2.Event("over", "job-1", {}, terminal=True)):
            with pytest.warns(DeprecationWarning, match=r"ctx\.emit"), pytest.raises(ima2.Ima2Error):
                ctx.publish(event)
        with pytest.warns(DeprecationWarning, match=r"ctx\.emit"):
            ctx.publish(ima2.Event("greeting", "job-1", {}))
    assert [event.name for event in sink.events] == ["greeting"]


async def test_a_slow_follower_loses_previews_first_and_never_an_end() -> None:
    from ima2.events.subscription import Subscriptions

    subscriptions = Subscriptions(depth=3)
    followed = subscriptions.add()
    for name, terminal in (("partial", False), ("phase", False), ("done", True), ("image", False), ("error", True)):
        await subscriptions.handle(ima2.Event(name, "job", {}, terminal))
    await followed.aclose()
    assert [event.name async for event in followed] == ["done", "image", "error"]
    assert followed.dropped == 2
