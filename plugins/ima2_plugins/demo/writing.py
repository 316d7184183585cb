"""Words by rule: a JSON schema filled from the names of its fields, or a plain sentence. No language model is asked.

Every text that is made up begins with `MARK`, so that nobody takes it for a model's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ima2

MARK = "Demo: "
_DEEPEST, _MOST = 12, 24
_SUBJECT = re.compile(r"(?im)^[\s\"'*-]*(?:topic|subject|theme|idea|주제)[\"'*]*\s*[:：]\s*(.{1,400})$")
_PARTS = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TEXTS = {
    "title headline heading name label caption": "{subject}",
    "body text description summary content answer message detail": "{subject} in plain words. A model would say more.",
    "prompt scene visual image picture": "a calm drawing of {subject}, soft light, plenty of space",
    "intent goal reason note why": "to show {subject}",
}
"""What a field holds, by the words of its name; the last word that is known counts."""
_FIXED = {"language": "en", "lang": "en", "locale": "en", "url": "", "color": "#2f62c9", "colour": "#2f62c9"}


def subject_of(prompt: str) -> str:
    """What a prompt is about: the line that says so (``Topic: …``), else its last sentence that has words."""
    found = _SUBJECT.search(prompt)
    lines = [line.strip() for line in re.split(r"[\n.!?。]+", prompt) if _PARTS.search(line)]
    text = found[1] if found else lines[-1] if lines else "nothing in particular"
    text = " ".join(text.strip(" \t\"',*").split())
    return text if len(text) <= 60 else text[:59].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Form:
    """A JSON schema and what its texts are to be about."""

    root: Mapping[str, ima2.Json]
    subject: str

    def fill(self) -> ima2.Json:
        """A value that fits the schema as far as rules go; patterns and formats are beyond them."""
        return self._value(self.root, "", 0, 0)

    def _value(self, schema: ima2.Json, name: str, place: int, depth: int) -> ima2.Json:
        schema = self._resolve(schema)
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if schema.get("enum"):
            return schema["enum"][0]
        kind = _kind(schema)
        if depth > _DEEPEST:
            return {"object": {}, "array": [], "string": "", "integer": 0, "number": 0, "boolean": False}.get(kind)
        if kind == "object":
            fields = schema.get("properties") or {}
            return {key: self._value(inner, key, place, depth + 1) for key, inner in fields.items()}
        if kind == "array":
            return self._items(schema, name, depth)
        if kind in ("integer", "number"):
            return _number(schema, place, whole=kind == "integer")
        if kind == "boolean":
            return False
        return self._text(schema, name, place) if kind == "string" else None

    def _items(self, schema: Mapping[str, ima2.Json], name: str, depth: int) -> list[ima2.Json]:
        firsts: Sequence[ima2.Json] = schema.get("prefixItems") or ()
        items = [self._value(one, name, place, depth + 1) for place, one in enumerate(firsts)]
        least = int(schema.get("minItems") or (0 if firsts else 1))
        count = min(max(least, len(items)), int(schema.get("maxItems", _MOST)), _MOST)
        rest = schema.get("items")
        places = range(len(items), count if isinstance(rest, Mapping) else 0)
        items += [self._value(rest, name, place, depth + 1) for place in places]
        return items[:count]

    def _text(self, schema: Mapping[str, ima2.Json], name: str, place: int) -> str:
        words = [one.lower() for one in _PARTS.findall(_HUMP.sub(" ", name))]
        if "id" in words:
            return f"demo_{place + 1}"
        fixed = next((_FIXED[one] for one in words if one in _FIXED), None)
        text = fixed if fixed is not None else MARK + _sentence(words).format(subject=self.subject)
        if fixed is None and place:
            text = f"{text} ({place + 1})"
        least, most = int(schema.get("minLength") or 0), schema.get("maxLength")
        text = text.ljust(least, ".")
        return text[: int(most)] if isinstance(most, int) else text

    def _resolve(self, schema: ima2.Json) -> Mapping[str, ima2.Json]:
        """Follow references and choices to a schema that says what it wants; an empty one at a dead end."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, Mapping):
                return {}
            choices = next((schema[key] for key in ("anyOf", "oneOf", "allOf") if schema.get(key)), None)
            if isinstance(schema.get("$ref"), str):
                schema = self._find(schema["$ref"])
            elif choices:
                schema = next((one for one in choices if self._resolve(one).get("type") != "null"), choices[0])
            else:
                return schema
        return {}

    def _find(self, reference: str) -> ima2.Json:
        found: ima2.Json = self.root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                found = found.get(part) if isinstance(found, Mapping) else None
        return found


def _kind(schema: Mapping[str, ima2.Json]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _number(schema: Mapping[str, ima2.Json], place: int, *, whole: bool) -> float:
    low, high = schema.get("minimum"), schema.get("maximum")
    number: float = place + 1
    number = max(number, low) if isinstance(low, int | float) else number
    number = min(number, high) if isinstance(high, int | float) else number
    return int(number) if whole else number


def _sentence(words: Sequence[str]) -> str:
    for word in reversed(words):
        for names, text in _TEXTS.items():
            if word in names.split():
                return text
    return "{subject}"


def plain_answer(subject: str, pictures: int, turns: int) -> str:
    """An answer without a schema: what was asked, and that no model was."""
    seen = f" {pictures} picture{'s' * (pictures != 1)} came along." if pictures else ""
    before = f" {turns} message{'s' * (turns != 1)} went before." if turns else ""
    return f"{MARK}you asked about “{subject}”.{seen}{before} No language model was asked."
