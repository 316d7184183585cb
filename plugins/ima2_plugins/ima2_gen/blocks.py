"""The blocks of ``/api/capabilities`` for what only ima2-gen brings."""

from __future__ import annotations

from typing import Any

BLOCKS: dict[str, Any] = {
    "agentMode": {
        "available": False,
        "route": "/api/agent/sessions",
        "allowedTools": ["ima2.get_image_context", "ima2.web_search", "ima2.generate_image"],
        "finalArtifact": "image",
        "uiOnly": True,
        "cliCommand": None,
    },
}
