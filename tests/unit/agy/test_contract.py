"""The contract of providers, in front of the fake CLI."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ima2.testing import ProviderContract
from ima2_plugins.agy.provider import AgyProvider


class TestAgy(ProviderContract):
    """A signed-in CLI."""

    @pytest.fixture
    def provider(self, make: Callable[..., AgyProvider]) -> AgyProvider:
        return make()
