"""Limits of what may be sent."""

from __future__ import annotations

from pydantic import BaseModel

import ima2


class GallerySettings(BaseModel):
    """How large pictures may be."""

    metadata_b64_bytes: int = ima2.setting(
        12_582_912,
        env="IMA2_MAX_METADATA_READ_B64_BYTES",
        key="limits.maxMetadataReadB64Bytes",
        help="Longest picture, in base64, whose metadata is read.",
        ge=1,
    )
    import_bytes: int = ima2.setting(52_428_800, help="Largest picture that may be brought in, in bytes.", ge=1)
