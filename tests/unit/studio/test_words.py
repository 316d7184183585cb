"""Who answers in words when nobody is named."""

from __future__ import annotations

from typing import ClassVar

import pytest

import ima2
from ima2.kernel.registry import Registry
from ima2.studio.providers import text_provider


class Speaker(ima2.Provider):
    title: ClassVar[str] = "Speaker"
    capabilities = ima2.Capabilities(text=True)
    lacks = ""

    def problem(self) -> str | None:
        return self.lacks or None


def registry(*providers: ima2.Provider) -> Registry:
    found = Registry()
    found.providers.update({one.id: one for one in providers})
    return found


def speaker(name: str, *, free: bool = False, lacks: str = "") -> ima2.Provider:
    kind = type(name, (Speaker,), {"id": name, "free": free, "lacks": lacks})
    provider: ima2.Provider = kind()
    return provider


def test_one_that_costs_nothing_answers_alone_as_the_default_or_by_name() -> None:
    free, paid = speaker("demo", free=True), speaker("words", lacks="Sign in.")
    assert text_provider(registry(free), "", "") is free
    assert text_provider(registry(free, paid), "demo", "") is free
    assert text_provider(registry(free, paid), "words", "demo") is free


def test_one_that_costs_nothing_stands_in_for_no_other() -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        text_provider(registry(speaker("demo", free=True), speaker("words", lacks="Sign in.")), "", "")
    assert caught.value.code == "TEXT_NOT_READY"
    assert "Sign in." in caught.value.text
