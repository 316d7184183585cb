"""Settings of graphs."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class GraphSettings(BaseModel):
    """How nodes are named."""

    node_hex_bytes: int = ima2.setting(
        5, env="IMA2_NODE_HEX_BYTES", key="ids.nodeHexBytes", ge=1, le=32, help="Random bytes of a node id."
    )
