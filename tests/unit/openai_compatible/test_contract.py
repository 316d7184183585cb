"""What every provider must do."""

from __future__ import annotations

import pytest
from tests.unit.openai_compatible.conftest import KEY, Lab
from tests.upstreams.world import World

from ima2.testing import ProviderContract
from ima2_plugins.openai_compatible.provider import CompatibleProvider


class TestLab(ProviderContract):
    @pytest.fixture
    def provider(self, lab: Lab, world: World) -> CompatibleProvider:
        world.state["compatible.key"] = KEY
        return lab(api_key=KEY)

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (KEY,)
