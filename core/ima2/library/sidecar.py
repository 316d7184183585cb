"""What is known of a file, in the names that sidecars and gallery rows have on disk.

Everywhere else facts are snake_case. The names are those of ima2-gen, which reads the same folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2.aliases import camel_keys

OPTIONS = {"mode": "promptMode", "webSearch": "webSearchEnabled", "reasoningEffort": "reasoningEffort"}
"""Options of a request that have a field of their own; the others stand below ``options``."""
DEFAULTS = {"promptMode": "auto", "webSearchEnabled": False, "reasoningEffort": "none"}
"""What those fields say where the provider has no such option."""


def from_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a sidecar holds them. ``request_options`` (name to value) is spread into its fields."""
    named = camel_keys({name: value for name, value in facts.items() if name != "request_options"})
    options = facts.get("request_options")
    if options is None:
        return named
    own = {OPTIONS[name]: value for name, value in options.items() if name in OPTIONS and value is not None}
    return {**DEFAULTS, **own, **named}
