"""The two looks of cards, and the orders of roles. The pictures are drawn by `artwork`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import ima2
from ima2_plugins.card_news.wire import refusal

TEMPLATE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,80}")
EDGE = 2048
"""Slots are measured in pixels of a card this wide and high."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on a card, in pixels of a card of `EDGE`; ``text`` is the kind of words that stand there, if any do."""

    id: str
    kind: str
    label: str
    placement: str
    box: tuple[int, int, int, int]
    text: str | None = None
    max_chars: int | None = None
    required: bool = False

    def as_json(self) -> dict[str, ima2.Json]:
        """As clients read it."""
        x, y, w, h = self.box
        return {
            "id": self.id,
            "kind": self.kind,
            "textKind": self.text,
            "label": self.label,
            "placement": self.placement,
            "x": x,
            "y": y,
            "w": w,
            "h": h,
            "required": self.required,
            "maxChars": self.max_chars,
            "safeArea": self.text is not None,
        }


@dataclass(frozen=True, slots=True)
class Template:
    """A look: words for the model, slots, and the colours that `artwork` draws with (ground, ink, accent, soft)."""

    id: str
    name: str
    label: str
    description: str
    style: str
    avoid: str
    palette: tuple[str, ...]
    colours: tuple[str, str, str, str]
    typography: tuple[str, str]
    slots: tuple[Slot, ...]
    roles: tuple[str, ...]

    def as_json(self) -> dict[str, ima2.Json]:
        """As clients read it."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "size": f"{EDGE}x{EDGE}",
            "previewUrl": f"/api/cardnews/image-templates/{self.id}/preview",
            "stylePrompt": self.style,
            "negativePrompt": self.avoid,
            "slots": [slot.as_json() for slot in self.slots],
            "palette": list(self.palette),
            "typography": {"headline": self.typography[0], "body": self.typography[1]},
            "recommendedOutputSizes": ["1024x1024", f"{EDGE}x{EDGE}"],
            "authoringLabel": self.label,
            "recommendedRoleNodeIds": list(self.roles),
            "createdBy": "system",
        }

    @property
    def base(self) -> str:
        """How the base picture is called in what is written down."""
        return f"templates/{self.id}/base.png"


REPORT = Template(
    "clean-report-square",
    "Clean Report Square",
    "Sober report",
    "A white page with a navy rule: facts, figures and one clear picture.",
    "A square card of a sober editorial report: white page, thin navy rules, wide margins, one flat illustration in "
    "navy and blue in the middle, level horizon, even light.",
    "photographic clutter, ornament, gradients behind words, invented words or numbers, logos, watermarks",
    ("white", "navy", "blue"),
    ("#fbfcfe", "#14264a", "#2f62c9", "#dfe7f5"),
    ("bold sans", "clean sans"),
    (
        Slot("title", "text", "Title at the top", "top-center", (160, 160, 1728, 260), "headline", 26, required=True),
        Slot("visual", "image", "Picture", "center", (160, 500, 1728, 980), required=True),
        Slot("cta", "text", "What to do next", "bottom-center", (160, 1620, 1728, 260), "cta", 32),
    ),
    ("mid-5", "short-3"),
)
LESSON = Template(
    "academy-lesson-square",
    "Academy Lesson Square",
    "Friendly lesson",
    "A light card with round corners: one idea a card, as in a lesson.",
    "A square card of a friendly lesson: pale blue ground, a white rounded panel, soft shapes in blue and slate, one "
    "simple illustration of a single idea, generous space, gentle light.",
    "crowded scenes, dark moods, invented words or numbers, tiny details, logos, watermarks",
    ("white", "blue", "slate"),
    ("#eaf2fd", "#33475f", "#3f83e0", "#ffffff"),
    ("strong sans", "rounded sans"),
    (
        Slot("title", "text", "Headline", "top-center", (140, 140, 1768, 320), "headline", 28, required=True),
        Slot("visual", "image", "Picture", "center", (200, 540, 1648, 1000), required=True),
        Slot("caption", "text", "Caption at the bottom", "bottom-center", (200, 1610, 1648, 260), "body", 48),
    ),
    ("mid-5", "long-8"),
)
TEMPLATES = {one.id: one for one in (REPORT, LESSON)}
DEFAULT_ROLES = "mid-5"
ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "short-3": ("Three cards", ("hook", "core", "cta")),
    "mid-5": ("Five cards", ("cover", "problem", "insight", "example", "cta")),
    "long-8": ("Eight cards", ("cover", "problem", "data", "tip1", "tip2", "example", "summary", "cta")),
}
HINTS = {
    "hook": "one surprising thing that makes people read on",
    "core": "the one thing to remember, with its reason",
    "cta": "what the reader can do now",
    "cover": "what it is about, in the fewest words",
    "problem": "what is hard today, and for whom",
    "insight": "the thought that changes the view",
    "data": "one figure from the brief and what it means; no figure that was not given",
    "tip1": "a first step that is easy",
    "tip2": "a second step that builds on the first",
    "example": "one concrete case",
    "summary": "the whole in one sentence",
}


def template(id: object) -> Template:
    """A look by its id: 400 ``CARD_NEWS_BAD_TEMPLATE_ID`` for what is none, 404 ``CARD_NEWS_TEMPLATE_NOT_FOUND``."""
    if not isinstance(id, str) or not TEMPLATE_ID.fullmatch(id):
        raise refusal("BAD_TEMPLATE_ID", 400, "That is no id of a template.")
    if id not in TEMPLATES:
        raise refusal("TEMPLATE_NOT_FOUND", 404, f"There is no such template. There are: {', '.join(TEMPLATES)}.")
    return TEMPLATES[id]


def role_id(id: object) -> str:
    """The id of an order of roles; unknown ones mean the one of five, as in ima2-gen."""
    return id if isinstance(id, str) and id in ROLES else DEFAULT_ROLES


def role_json(id: str) -> dict[str, ima2.Json]:
    """An order of roles as clients read it."""
    name, roles = ROLES[id]
    rows = [{"role": one, "required": True, "promptHint": HINTS[one], "preferredSlots": ["title"]} for one in roles]
    return {"id": id, "name": name, "defaultCount": len(roles), "roles": rows}
