"""What every provider of ima2 must do, over each lane."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upstreams import xai

import ima2
import ima2.testing


class TestGrokApi(ima2.testing.ProviderContract):
    @pytest.fixture
    def provider(self, api: Any) -> ima2.Provider:
        provider: ima2.Provider = api()
        return provider

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (xai.KEY,)


class TestGrok(ima2.testing.ProviderContract):
    @pytest.fixture
    def provider(self, grok: Any, sign_in: Any) -> ima2.Provider:
        sign_in()
        provider: ima2.Provider = grok()
        return provider

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return ("login-0", "refresh-0")
