"""A set as one ZIP: pictures, texts to read, and the manifest."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import ima2
from ima2_plugins.card_news.sets import plan_of
from ima2_plugins.card_news.wire import FOLDER


async def archive(library: ima2.Library, manifest: Mapping[str, Any]) -> bytes:
    """The bytes of the ZIP. A picture that is gone is left out, and the texts say so."""
    plan = plan_of(dict(manifest))
    pictures: dict[str, bytes] = {}
    missing: list[str] = []
    for card in plan["cards"]:
        name = card.get("imageFilename")
        if not isinstance(name, str) or not ima2.is_key(name) or "/" in name:
            continue
        try:
            pictures[name] = await library.read(f"{FOLDER}/{manifest['setId']}/{name}")
        except KeyError:
            missing.append(name)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, data in pictures.items():
            whole.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_STORED)
        whole.writestr("texts.md", texts(plan, missing))
        whole.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2))
    return out.getvalue()


def texts(plan: Mapping[str, Any], missing: list[str]) -> str:
    """The set as readable text, in Markdown: headline, body, what is written on the card, the alternative text."""
    lines = [f"# {plan.get('title') or 'Card news'}", ""]
    if plan.get("topic"):
        lines += [str(plan["topic"]), ""]
    for card in plan["cards"]:
        lines += [f"## {card.get('order')}. {card.get('headline') or ''}".rstrip(), ""]
        if card.get("body"):
            lines += [str(card["body"]), ""]
        drawn = [str(one.get("text")) for one in card["textFields"] if one.get("renderMode") == "in-image"]
        lines += [f"On the picture: {' / '.join(drawn)}", ""] if drawn else []
        name = card.get("imageFilename")
        if name in missing:
            lines += [f"The picture {name} is no longer in the gallery.", ""]
        elif name:
            lines += [f"![{card.get('altText') or ''}]({name})", ""]
        elif card.get("error"):
            lines += [f"Without a picture: {card['error']}", ""]
    return "\n".join(lines)
