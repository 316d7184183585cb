"""What models are told: the planner of a set, and the one that draws a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ima2
from ima2_plugins.card_news.templates import HINTS, ROLES, Template

PLANNER = """\
You plan a set of picture cards that people read one after the other. Answer with one JSON document that follows the
schema and nothing else. Call no image tools; somebody else draws.
Rules:
- Make exactly the cards that are listed, in that order, with exactly those roles. Add none, leave none out.
- Write in the language that the user writes in. Where the user gives a wording, keep it letter for letter.
- headline and body are read beside the picture, in the interface. They are not drawn.
- Only entries of textFields with renderMode "in-image" are drawn on the picture. Keep them short, within maxChars, and
  prefer the slots of the template. Use "ui-only" for everything else.
- The name of a role is for you; it never appears as visible text.
- visualPrompt describes scene and layout only. It repeats no visible text and asks for no words on the picture.
- Claim no figures and no facts beyond what the user gives."""


def planner_prompt(fields: Mapping[str, str], look: Template, roles: str) -> str:
    """What the planner is asked: the brief, the cards and the places for text."""
    brief = [f"{name}: {text}" for name, text in fields.items() if text]
    cards = [f"{place}. role {role}: {HINTS[role]}" for place, role in enumerate(ROLES[roles][1], 1)]
    slots = [f"{slot.id} ({slot.text}, up to {slot.max_chars} characters)" for slot in look.slots if slot.text]
    look_line = f"Look: {look.description}"
    return "\n".join([*brief, look_line, f"Text slots: {', '.join(slots)}", "Cards:", *cards])


def card_prompt(look: Template, visual: str, fields: Sequence[Mapping[str, ima2.Json]]) -> str:
    """What is drawn: the look, the scene, which words stand where, and what to leave out."""
    drawn = [one for one in fields if one.get("renderMode") == "in-image" and str(one.get("text") or "").strip()]
    lines = [f"- at {one.get('placement')}, {one.get('hierarchy')}: “{str(one['text']).strip()}”" for one in drawn]
    words = (
        ["Draw exactly these texts, letter for letter, each once and legible, and no other words:", *lines]
        if lines
        else ["Draw no words, letters or numbers at all."]
    )
    first = "The first reference picture is the empty card: keep its layout, margins and colours."
    return "\n".join([look.style, first, f"Scene: {visual}", *words, f"Leave out: {look.avoid}."])
