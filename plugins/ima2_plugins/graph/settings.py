"""Settings of graphs."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class GraphSettings(BaseModel):
    """How nodes are named, how large graphs may be, and how style sheets are used."""

    node_hex_bytes: int = ima2.setting(
        5, env="IMA2_NODE_HEX_BYTES", key="ids.nodeHexBytes", ge=1, le=32, help="Random bytes of a node id."
    )
    max_nodes: int = ima2.setting(
        500, env="IMA2_GRAPH_MAX_NODES", key="limits.graphMaxNodes", ge=1, le=100_000, help="Nodes of one graph."
    )
    max_edges: int = ima2.setting(
        1000, env="IMA2_GRAPH_MAX_EDGES", key="limits.graphMaxEdges", ge=1, le=200_000, help="Edges of one graph."
    )
    style_model: str = ima2.setting(
        "",
        env="IMA2_STYLE_MODEL",
        key="styleSheet.model",
        help="Model that reads a style; none: the provider's own.",
    )
    style_sheet_max_prefix: int = ima2.setting(
        4000,
        env="IMA2_STYLE_SHEET_MAX_PREFIX",
        key="styleSheet.maxPrefix",
        ge=0,
        le=100_000,
        help="Longest style put before a prompt.",
    )
