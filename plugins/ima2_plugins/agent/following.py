"""Writing into a session from the command line, and showing what comes of it while it does."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import click

import ima2
from ima2 import terminal

PAUSE_S, LONGEST_S = 0.4, 1800.0
QUESTION_S = 180.0
ENDED = frozenset({"succeeded", "failed", "canceled"})


class Follower:
    """One session, followed by polls that cost the server little: only turns that are new are asked for."""

    def __init__(self, client: ima2.Client, session: str, *, as_json: bool = False) -> None:
        self._client, self._json = client, as_json
        self._path = f"/api/agent/sessions/{quote(session, safe='')}"
        self._session = session
        self._shown: set[str] = set()

    async def ask(self, body: dict[str, Any], *, detach: bool = False) -> int:
        """Write, and follow to the end; 0 if something came of it, else 1. Ctrl-C cancels what was begun."""
        known = await self._client.ask("GET", self._path)
        self._shown |= {one["id"] for one in known["turnsBySession"][self._session]}
        answer = await self._client.ask("POST", f"{self._path}/queue", body=body, limit=QUESTION_S)
        item = answer["queueItem"]
        if item is None:
            self._tell(answer["workspace"])
            if self._json:
                terminal.print_json(self._last(answer["workspace"]))
            return 0
        if detach:
            terminal.print_json({"item": item["id"]}) if self._json else click.echo(item["id"])
            return 0
        try:
            return await self._follow(item)
        except asyncio.CancelledError:
            await asyncio.shield(self._client.ask("POST", f"/api/agent/queue/{item['id']}/cancel", body={}))
            raise

    async def _follow(self, item: dict[str, Any]) -> int:
        state = item["status"]
        self._say(state, item)
        async with asyncio.timeout(LONGEST_S):
            while True:
                found = await self._client.ask("GET", self._path, query={"since": item["createdAt"] - 1})
                self._tell(found)
                row = next((one for one in found["queueBySession"][self._session] if one["id"] == item["id"]), item)
                if row["status"] != state:
                    state = row["status"]
                    self._say(state, row)
                if state in ENDED:
                    break
                await asyncio.sleep(PAUSE_S)
        if self._json:
            files = [found["imagesById"][one] for one in row["resultImageIds"] if one in found["imagesById"]]
            terminal.print_json({"item": row, "images": files})
        return 0 if state == "succeeded" else 1

    def _say(self, state: str, item: dict[str, Any]) -> None:
        if not self._json and state in ("queued", "running"):
            count = item["plan"].get("plannedVariants", 1)
            terminal.remark(f"{state}{f', {count} takes' if count > 1 else ''} …")

    def _tell(self, found: dict[str, Any]) -> None:
        """Print the turns that were not printed yet."""
        for turn in found["turnsBySession"].get(self._session, ()):
            if turn["id"] in self._shown:
                continue
            self._shown.add(turn["id"])
            if turn["role"] == "assistant" and not self._json:
                click.echo(lines(turn["text"]))
                for image in turn["imageIds"]:
                    click.echo(f"  {found['imagesById'].get(image, {}).get('filename', image)}")

    def _last(self, found: dict[str, Any]) -> dict[str, Any]:
        turns = found["turnsBySession"][self._session]
        return {"answer": turns[-1]["text"] if turns else ""}


def lines(text: str) -> str:
    """A text of several lines, safe for a terminal."""
    return "\n".join(terminal.plain(one) for one in text.splitlines())
