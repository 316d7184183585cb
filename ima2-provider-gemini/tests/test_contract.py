"""The contract of providers, in front of the fake Google."""

from __future__ import annotations

import pytest

from ima2.testing import ProviderContract
from ima2_provider_gemini.provider import GeminiProvider


class TestGemini(ProviderContract):
    """With a key."""

    @pytest.fixture
    def provider(self, provider: GeminiProvider) -> GeminiProvider:
        return provider

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return ("AIzaTest-key-0123456789",)
