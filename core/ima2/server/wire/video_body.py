"""The fields that the routes for clips share."""

from __future__ import annotations

import re
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.server.wire.body import Body
from ima2.server.wire.image_body import ID_CHARS, ImageBody
from ima2.studio.check import check_shape, duration_error, video_modes

DURATION, RESOLUTION, RATIO = 5, "480p", "auto"
PLANNER_CHARS = 120
_WHOLE = re.compile(r"\s*\d{1,6}\s*")
_NEW = ("text", "image", "reference")
GUIDANCE = (
    "Say what should be seen and heard: how the picture moves from the first second to the last, what the camera does, "
    "which sounds there are (or none), who speaks and what (or nobody), and where it ends, paced to fill the whole "
    "length. For example: A paper boat drifts down a rain gutter, the camera follows close behind, only rain is heard, "
    "and it comes to rest against a leaf."
)


class VideoBody(ImageBody):
    """A client's JSON for a clip."""

    media = "video"

    def require_prompt(self) -> str:
        """What the clip should show, trimmed; 400 ``PROMPT_REQUIRED`` with ``guidance`` where nothing is said."""
        try:
            return super().require_prompt().strip()
        except Ima2Error as error:
            if error.code == "PROMPT_REQUIRED":
                error.details["guidance"] = GUIDANCE
            raise

    def identify(self) -> None:
        """The job's id, ``clientRequestId`` where there is no ``requestId``, and who asks."""
        second = Body({"requestId": self.get("clientRequestId")}).request_id(self.id)
        self.id = self.request_id(second)
        self.session_id = self.text("sessionId", limit=ID_CHARS, code="INVALID_SESSION_ID")
        self.client_node_id = self.text("clientNodeId", limit=ID_CHARS, code="INVALID_NODE_ID")

    def duration(self) -> int:
        """Seconds of a new clip that some mode takes, or 400 with the provider's ``VIDEO_DURATION_INVALID``."""
        modes = video_modes(self.provider, self.model)
        spans = [modes.durations[mode] for mode in _NEW if mode in modes.durations] or list(modes.durations.values())
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
        return whole_seconds(self.get("duration"), min(max(DURATION, low), high), low, high, self.provider)

    def resolution(self) -> str:
        """Or 400 with the provider's ``VIDEO_RESOLUTION_INVALID``."""
        return self._shape("resolution", "resolution", video_modes(self.provider, self.model).resolutions, RESOLUTION)

    def aspect_ratio(self) -> str:
        """Or 400 with the provider's ``VIDEO_ASPECT_RATIO_INVALID``."""
        return self._shape("aspectRatio", "aspect_ratio", video_modes(self.provider, self.model).aspect_ratios, RATIO)

    def choose_planner(self) -> None:
        """The model that words the final prompt, where the provider lets one choose it."""
        planner = self.text("plannerModel", limit=PLANNER_CHARS, code="INVALID_PLANNER_MODEL")
        if planner is None:
            return
        if self.able.option("plannerModel"):
            self.options["plannerModel"] = planner
        else:
            self.warn("OPTION_IGNORED", "plannerModel", None, "provider-has-no-such-option")

    def offer(self, name: str, value: Any) -> None:
        """Set an option, if the provider declares it and there is a value."""
        if value is not None and self.able.option(name):
            self.options[name] = value

    def _shape(self, field: str, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.get(field)
        if value is None or value == "":
            return default if default in allowed else allowed[0]
        return check_shape(self.able, name, value if isinstance(value, str) else "", allowed)


def whole_seconds(value: Any, default: int, low: int, high: int, provider: Provider) -> int:
    """A whole number of seconds within bounds, as such or as text; else 400 with the provider's own code."""
    seconds = _whole(value, default)
    if seconds is None or not low <= seconds <= high:
        raise duration_error(provider, low, high)
    return seconds


def _whole(value: Any, default: int) -> int | None:
    if value is None or value == "":
        return default
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6 and value == int(value):
        return int(value)
    return None
