"""What a person pastes after agreeing in a browser."""

from __future__ import annotations

import re
import secrets
from urllib.parse import parse_qs

_CODE = re.compile(r"[A-Za-z0-9._~+/=-]{4,2048}")


def code_of(pasted: str, state: str) -> str:
    """The authorization code in a full address, in its query, or by itself.

    An address has to belong to this login (its ``state``) and must not report an error; else ``ValueError`` with a
    sentence for the person.
    """
    text = pasted.strip().strip("'\"")
    if "code=" in text or "error=" in text:
        address = text.partition("#")[0]
        query = parse_qs(address.partition("?")[2] or address)
        if "error" in query:
            raise ValueError("The page reported that the login was declined.")
        if not secrets.compare_digest(query.get("state", [""])[0].encode(), state.encode()):
            raise ValueError("This address belongs to another login.")
        text = query.get("code", [""])[0]
    if not _CODE.fullmatch(text):
        raise ValueError("That is neither the address nor a code.")
    return text
