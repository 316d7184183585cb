"""What every provider must do, for both of these."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.openai.conftest import KEY, Api, Oauth
from tests.upstreams.world import World

from ima2.testing import ProviderContract
from ima2_plugins.openai.api_provider import ApiProvider
from ima2_plugins.openai.oauth_provider import OauthProvider


class TestApi(ProviderContract):
    @pytest.fixture
    def provider(self, api: Api) -> ApiProvider:
        return api()

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (KEY,)


class TestOauth(ProviderContract):
    @pytest.fixture
    def provider(self, oauth: Oauth, backend: World, auth_file: Path) -> OauthProvider:
        return oauth(backend)

    @pytest.fixture
    def secrets(self, backend: World, provider: OauthProvider) -> tuple[str, ...]:
        return (backend.state["chatgpt.access"], backend.state["chatgpt.refresh"])
