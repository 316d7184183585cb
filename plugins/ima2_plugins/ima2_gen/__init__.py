"""What clients of ima2-gen 2.0.2 look for though nothing here brings it: keys of config.json, blocks of capabilities.

A feature that comes takes its keys and its block with it, and out of here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ima2

if TYPE_CHECKING:
    from pydantic import BaseModel


@ima2.hookimpl
def ima2_settings() -> type[BaseModel]:
    """The keys that ima2-gen writes: they are kept, and nothing here reads them."""
    from ima2_plugins.ima2_gen.settings import Settings

    return Settings


@ima2.hookimpl
def ima2_capabilities() -> dict[str, Any]:
    """The blocks of features that ima2-gen has, in its shape: they are not available."""
    from ima2_plugins.ima2_gen.blocks import BLOCKS

    return BLOCKS
