"""What was really used and is not what was asked: told, never a failure, for it is paid."""

from __future__ import annotations

import re

import ima2

from .catalogue import ImageModel


def differences(
    request: ima2.ImageRequest, artifact: ima2.Artifact, model: ImageModel, adjusted: bool
) -> list[ima2.Notice]:
    """A notice for another model than ``model``, which was asked, and for another size in pixels than was wished.

    None of the size where a notice has told of it already (``adjusted``), or for a model of ima2-gen 2.0.2: its
    answers bear the warnings that clients know, and say what was used beside them.
    """
    found = []
    if artifact.model != model.id:
        found.append(_notice("MODEL_DIFFERS", "model", model.id, artifact.model))
    size = artifact.used.get("size")
    silent = adjusted or model.classic or not re.fullmatch(r"\d+x\d+", request.size)
    if size and not silent and size != request.size:
        found.append(_notice("SIZE_DIFFERS", "size", request.size, size))
    return found


def _notice(code: str, field: str, asked: object, used: object) -> ima2.Notice:
    text = f"The {field} was to be {asked}; Google used {used}."
    return ima2.Notice(code, text, {"field": field, "requested": asked, "used": used})
