"""Which provider makes a clip, and which process goes on with one."""

from __future__ import annotations

from typing import Any

import pytest

from ima2.capabilities import Capabilities
from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.kernel.registry import Registry
from ima2.studio.providers import video_provider
from ima2.testing import EchoProvider, FilmProvider


class Second(FilmProvider):
    id = "second"
    is_video_default = False


class Named(EchoProvider):
    id = "named"
    capabilities = Capabilities(code_prefix="NAMED", codes={"VIDEO_UNSUPPORTED": "NAMED_VIDEO_UNSUPPORTED"})


def registry(*providers: Provider) -> Registry:
    return Registry(providers={one.id: one for one in providers})


@pytest.mark.parametrize("name", [None, "", "auto"])
@pytest.mark.parametrize(
    ("providers", "setting", "chosen"),
    [
        ([FilmProvider(), Second(), EchoProvider()], "", "film"),
        ([FilmProvider(), Second(), EchoProvider()], "auto", "film"),
        ([FilmProvider(), Second(), EchoProvider()], "echo", "film"),
        ([FilmProvider(), Second()], "second", "second"),
        ([Second(), EchoProvider()], "", "second"),
    ],
)
def test_without_a_name_the_default_for_clips_is_meant(
    name: Any, providers: list[Provider], setting: str, chosen: str
) -> None:
    assert video_provider(registry(*providers), setting, name).id == chosen


def test_a_name_is_taken_at_its_word() -> None:
    assert video_provider(registry(FilmProvider(), Second()), "", "second").id == "second"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("echo", "VIDEO_PROVIDER_UNSUPPORTED"),
        ("named", "NAMED_VIDEO_UNSUPPORTED"),
        ("nobody", "VIDEO_PROVIDER_UNSUPPORTED"),
        (["film"], "VIDEO_PROVIDER_UNSUPPORTED"),
    ],
)
def test_a_provider_that_makes_no_clips_is_never_replaced_by_another(name: Any, code: str) -> None:
    with pytest.raises(Ima2Error) as caught:
        video_provider(registry(FilmProvider(), EchoProvider(), Named()), "", name)
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_where_nobody_or_several_could_be_meant_a_name_is_asked_for() -> None:
    class Third(Second):
        id = "third"

    for runtime in (registry(EchoProvider()), registry(Second(), Third())):
        with pytest.raises(Ima2Error, match="Name a provider"):
            video_provider(runtime, "")
