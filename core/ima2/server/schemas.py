"""What the OpenAPI document says of bodies that are read by hand.

They are read by hand because the wire promises an order of checks, codes of its own and some
leniency; a schema can show the fields, not that.
"""

from __future__ import annotations

from typing import Any

_EXAMPLE_DONE = {
    "image": "data:image/png;base64,iVBORw0KGgo=",
    "elapsed": 14.2,
    "filename": "1795000014200_9f3c21aa_0.png",
    "url": "/generated/1795000014200_9f3c21aa_0.png",
    "requestId": "my-request-1",
    "createdAt": 1795000014201,
    "provider": "auto",
    "model": "",
    "quality": "medium",
    "size": "1024x1024",
    "warnings": [],
}
_TEXT: dict[str, Any] = {"type": "string"}
_FIELDS: dict[str, Any] = {
    "prompt": {**_TEXT, "minLength": 1, "maxLength": 32000, "description": "what to draw"},
    "provider": {**_TEXT, "default": "auto", "description": "a provider's id; `auto` is the default one"},
    "model": {**_TEXT, "description": "one of the provider's models"},
    "quality": {**_TEXT, "enum": ["low", "medium", "high"], "default": "medium"},
    "size": {**_TEXT, "default": "1024x1024", "examples": ["1024x1024", "1536x1024", "auto"]},
    "format": {**_TEXT, "enum": ["png", "jpeg", "webp"], "default": "png"},
    "moderation": {**_TEXT, "enum": ["auto", "low"], "default": "low"},
    "n": {"type": "integer", "minimum": 1, "maximum": 8, "default": 1, "description": "independent candidates"},
    "references": {
        "type": "array",
        "items": _TEXT,
        "maxItems": 5,
        "description": "base64 or data URLs: PNG, JPEG, WebP",
    },
    "reasoningEffort": {**_TEXT, "enum": ["none", "low", "medium", "high", "xhigh"]},
    "webSearchEnabled": {"type": "boolean", "default": True},
    "mode": {**_TEXT, "enum": ["auto", "direct"], "default": "auto"},
    "storyboard": {"type": "boolean", "default": False, "description": "a sheet of keyframes for a clip"},
    "options": {"type": "object", "description": "options that the provider declares, by name"},
    "partials": {"type": "integer", "minimum": 0, "maximum": 3, "default": 0, "description": "previews wanted"},
    "providerUrl": {**_TEXT, "description": "an address the provider gave out, as the first reference"},
    "sessionId": _TEXT,
    "clientNodeId": _TEXT,
    "composerPrompt": _TEXT,
    "composerInsertedPrompts": {"type": "array", "items": {"type": "object"}},
    "requestId": {**_TEXT, "pattern": "^[A-Za-z0-9._:-]{1,128}$", "description": "the job's id"},
    "async": {"type": "boolean", "default": False, "description": "answer 202 at once"},
}
GENERATE_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object", "required": ["prompt"], "properties": _FIELDS},
            "examples": {
                "plain": {"value": {"prompt": "a shiba in space", "provider": "auto"}},
                "four in the background": {
                    "value": {"prompt": "a lighthouse at dawn", "n": 4, "async": True, "requestId": "my-request-1"}
                },
            },
        }
    },
}


def picture_job_body(example: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The OpenAPI request body of a route that takes the fields of all picture routes and ``more`` of its own."""
    return _body(_fields("n", "storyboard", **more), ["prompt"], example)


def _body(fields: dict[str, Any], required: list[str], example: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": fields}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _fields(*left_out: str, **more: Any) -> dict[str, Any]:
    return {**{name: field for name, field in _FIELDS.items() if name not in left_out}, **more}


_PICTURE = {**_TEXT, "description": "base64 or a data URL"}
EDIT_BODY = _body(
    _fields("n", "references", "async", "storyboard", "providerUrl", image=_PICTURE, mask=_PICTURE),
    ["prompt", "image"],
    {"prompt": "make the sky stormy", "image": "data:image/png;base64,iVBORw0KGgo="},
)
SEQUENCE_BODY = _body(
    _fields("n", "storyboard", maxImages={"type": "integer", "minimum": 1, "maximum": 8, "default": 1}),
    ["prompt"],
    {"prompt": "the four seasons of one tree", "maxImages": 4},
)


_CLIP = {
    "prompt": _FIELDS["prompt"],
    "provider": {**_TEXT, "description": "a provider that makes clips; without it the default one of those"},
    "model": _FIELDS["model"],
    "duration": {"type": "integer", "minimum": 1, "maximum": 15, "default": 5, "description": "seconds"},
    "requestId": _FIELDS["requestId"],
}
_NAMES = {"type": "array", "items": _TEXT}
CLIP_BODY = _body(
    {
        **_CLIP,
        "resolution": {**_TEXT, "enum": ["480p", "720p"], "default": "480p"},
        "aspectRatio": {**_TEXT, "default": "auto", "examples": ["16:9", "9:16", "1:1", "auto"]},
        "sourceImage": {**_PICTURE, "description": "the start frame: base64, a data URL or an address"},
        "sourceFilename": {**_TEXT, "description": "the start frame: a picture of the gallery"},
        "referenceImages": {**_NAMES, "description": "further pictures: base64 or data URLs"},
        "referenceFilenames": {**_NAMES, "description": "further pictures of the gallery"},
        "providerUrl": {**_TEXT, "description": "an address the provider gave out, as the only input"},
        "continueFromVideo": {**_TEXT, "description": "a clip of the gallery whose last frame this one starts from"},
        "continuityLineage": {"type": "object", "description": "what came before, where the client knows it"},
        "topic": {**_TEXT, "maxLength": 200, "description": "name of a series this clip belongs to"},
        "storyboard": {"type": "boolean", "default": False, "description": "the start frame is a sheet of keyframes"},
        "plannerModel": {**_TEXT, "description": "the model that words the final prompt"},
        "sessionId": _TEXT,
        "clientNodeId": _TEXT,
        "clientRequestId": {**_TEXT, "description": "the job's id where `requestId` is absent"},
        "async": _FIELDS["async"],
        "options": _FIELDS["options"],
    },
    ["prompt"],
    {"prompt": "a paper boat drifts down a rain gutter, only rain is heard", "duration": 6, "aspectRatio": "16:9"},
)
_ORIGINAL = {**_TEXT, "description": "a clip of the gallery, an https or data:video address, or an upstream's file id"}
CLIP_EDIT_BODY = _body(
    {**{name: field for name, field in _CLIP.items() if name != "duration"}, "videoUrl": _ORIGINAL},
    ["prompt", "videoUrl"],
    {"prompt": "make it dusk", "videoUrl": "1795000014200_9f3c21aa.mp4"},
)
CLIP_EXTEND_BODY = _body(
    {
        **_CLIP,
        "videoUrl": _ORIGINAL,
        "duration": {"type": "integer", "minimum": 2, "maximum": 10, "default": 6, "description": "seconds to add"},
    },
    ["prompt", "videoUrl"],
    {"prompt": "it sails on", "videoUrl": "1795000014200_9f3c21aa.mp4", "duration": 4},
)
ANALYZE_BODY = _body(
    {"videoUrl": {**_TEXT, "description": "a clip of the gallery"}, "provider": _CLIP["provider"]},
    ["videoUrl"],
    {"videoUrl": "1795000014200_9f3c21aa.mp4"},
)


def answer(description: str, example: Any) -> dict[str, Any]:
    """One documented JSON answer."""
    return {"description": description, "content": {"application/json": {"example": example}}}


def refusal(description: str, code: str, **more: Any) -> dict[str, Any]:
    """One documented error."""
    return answer(description, {"error": description, "code": code, **more})


GENERATE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: answer("The picture, or `images` when more than one was asked for", _EXAMPLE_DONE),
    202: answer("Accepted; follow it on /api/events", {"requestId": "my-request-1", "async": True}),
    400: refusal("Something in the body is wrong", "INVALID_SIZE"),
    401: refusal("The provider's credential is missing or refused", "API_KEY_REQUIRED"),
    409: refusal("A job with this id is running", "REQUEST_ID_IN_USE", requestId="my-request-1"),
    413: refusal("The body is too large", "PAYLOAD_TOO_LARGE"),
    422: refusal("The provider answered without a picture, or refused", "SAFETY_REFUSAL"),
    429: refusal("Too many jobs, or the provider's rate limit", "TOO_MANY_JOBS"),
    499: refusal("The job was canceled", "GENERATION_CANCELED"),
    500: refusal("The provider or the server failed", "UPSTREAM_5XX"),
    502: refusal("The provider's answer was unusable", "NETWORK_FAILED"),
    503: refusal("The provider cannot be reached, or the server stopped", "OAUTH_UNAVAILABLE"),
    504: refusal("The provider took too long", "JOB_TIMEOUT"),
}
CHANGE_RESPONSES: dict[int | str, dict[str, Any]] = {
    **{status: one for status, one in GENERATE_RESPONSES.items() if status not in (202, 422)},
    200: answer(
        "The new clip",
        {
            "requestId": "d97415a1-0b1c",
            "url": "/generated/1795000014200_9f3c21aa.mp4",
            "filename": "1795000014200_9f3c21aa.mp4",
            "sourceUrl": "https://clips.example/0a1b.mp4",
            "duration": 6,
            "model": "clip-1",
        },
    ),
    404: refusal("There is no such clip in the gallery", "VIDEO_NOT_FOUND"),
}
FRAME_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The frame", "content": {"image/png": {}}},
    400: refusal("The file or the position is not one", "VIDEO_FILE_REQUIRED"),
    404: refusal("There is no such clip in the gallery", "VIDEO_NOT_FOUND"),
    500: refusal("The clip could not be read", "VIDEO_FRAME_FAILED"),
}
ANALYZE_RESPONSES: dict[int | str, dict[str, Any]] = {
    **FRAME_RESPONSES,
    200: answer(
        "The description", {"analysis": "A kite climbs over dunes.", "model": "words-1", "method": "first-last-frame"}
    ),
    502: refusal("The provider's answer was unusable", "VIDEO_ANALYSIS_EMPTY"),
}
