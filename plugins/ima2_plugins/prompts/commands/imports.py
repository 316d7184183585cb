"""``ima2 prompt import``: from lists, GitHub, folders and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import ima2
from ima2 import terminal
from ima2_plugins.prompts.commands.inputs import document, report, show_document, split, yes_option

URL = "/api/prompts/import"
AT_ONCE, FILES_AT_ONCE, DISCOVERY_S = 100, 20, 120.0
ENDINGS = (".md", ".markdown", ".txt")
COUNTS = ("foldersCreated", "promptsImported", "duplicatesSkipped", "imported")
Candidates = list[dict[str, Any]]
imports = terminal.Group("import", help="Import prompts (sources, refresh, curated, discovery, folder, json, preview).")


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the commands share that keep what they find."""
    folder = click.option("--folder", metavar="ID", help="Keep them in this folder.")
    dry = click.option("--dry-run", is_flag=True, help="Show what would be imported, as JSON.")
    return folder(dry(terminal.client_options(command)))


@imports.command()
@terminal.client_options
def sources(server: str | None, as_json: bool) -> None:
    """Show the curated lists and the repositories that were found."""
    found = {"curated": _quietly(server, "curated-sources"), "discovery": _quietly(server, "discovery")}
    if as_json:
        terminal.print_json(found)
        return
    for title, value in found.items():
        click.echo(f"{title}:")
        show_document(value, compact=False)


@imports.command()
@click.option("--source", metavar="ID", required=True, help="Which list.")
@terminal.client_options
def refresh(server: str | None, as_json: bool, source: str) -> None:
    """Read a curated list anew."""
    answer = terminal.ask(server, "POST", f"{URL}/curated-refresh", body={"sourceId": source})
    _warn(answer)
    report(answer, as_json, lambda found: f"{found['candidateCount']} prompts in {found['indexedFiles']} files")


@imports.command()
@click.option("--source", metavar="ID", multiple=True, help="Only this list; may be repeated.")
@click.option("-q", "--q", "--query", "query", default="", metavar="TEXT", help="What to look for.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@choosing
def curated(source: Sequence[str], query: str, limit: int | None, **rest: Any) -> None:
    """Import what a search of the curated lists finds."""
    body = {"q": query, "sourceIds": list(source), **({"limit": limit} if limit else {})}
    answer = terminal.ask(rest["server"], "POST", f"{URL}/curated-search", body=body)
    _warn(answer)
    _keep(answer["candidates"], **rest)


@imports.command()
@click.option("-q", "--q", "--query", "query", required=True, metavar="TEXT", help="What to look for.")
@click.option("--seed", multiple=True, metavar="TEXT", help="A further question; may be repeated.")
@click.option("--seeds", metavar="A,B", help="Further questions with commas.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--folder", hidden=True, expose_value=False)
@click.option("--dry-run", is_flag=True, hidden=True, expose_value=False)
@terminal.client_options
def discovery(
    server: str | None, as_json: bool, query: str, seed: Sequence[str], seeds: str | None, limit: int | None
) -> None:
    """Search GitHub for repositories of prompts. A person approves them before they are read."""
    body = {"q": query, "seeds": split(seed, seeds), **({"limit": limit} if limit else {})}
    answer = terminal.ask(server, "POST", f"{URL}/discovery-search", body=body, limit=DISCOVERY_S)
    _warn(answer)
    if as_json:
        terminal.print_json(answer)
    elif not answer["candidates"]:
        click.echo("(no repositories)")
    else:
        rows = [(one["fullName"], str(one["score"]), one["status"], one["description"]) for one in answer["candidates"]]
        cut = [(*row[:3], terminal.short(row[3], 48)) for row in rows]
        click.echo(terminal.table(("REPOSITORY", "SCORE", "STATUS", "DESCRIPTION"), cut))


@imports.command()
@click.argument("source")
@yes_option
@choosing
def folder(source: str, yes: bool, **rest: Any) -> None:
    """Import the prompts of a folder: of this machine, or at GitHub (owner/repo:path or its address)."""
    local = Path(source).expanduser()
    found = list(_local(local, rest["server"])) if local.is_dir() else list(_remote(source, rest["server"]))
    many = len(found) > AT_ONCE and not rest["dry_run"]
    if many and not terminal.confirm(f"Import {len(found)} prompts?", yes=yes):
        click.echo("canceled", err=rest["as_json"])
        return
    _keep(found, **rest)


@imports.command("json")
@click.argument("file")
@choosing
def collection(server: str | None, as_json: bool, file: str, folder: str | None, dry_run: bool) -> None:
    """Import a collection, as `ima2 prompt export` writes it, or a bare list of prompts."""
    value = document("FILE", file)
    given = {"prompts": value} if isinstance(value, list) else value
    if not isinstance(given, dict):
        raise click.UsageError("FILE: this is neither a collection nor a list of prompts.")
    entries, folders = (_list(given.get(name)) for name in ("prompts", "folders"))
    if dry_run:
        terminal.print_json({"folders": len(folders), "prompts": len(entries)})
        return
    if folder is not None:
        placed = [{**one, "folderId": folder} if isinstance(one, dict) else one for one in entries]
        given = {**given, "prompts": placed}
    _told(terminal.ask(server, "POST", URL, body=given), as_json)


@imports.command()
@click.argument("file")
@click.option("--filename", default="prompt-source.md", show_default=True, help="What standard input is called.")
@terminal.client_options
def preview(server: str | None, as_json: bool, file: str, filename: str) -> None:
    """Show the prompts of a Markdown or text file; nothing is kept."""
    path = Path(file if file == "-" else file.removeprefix("@"))
    answer = _preview(server, filename if file == "-" else path.name, terminal.read_text("FILE", path))
    show_document(answer, compact=as_json)


def _preview(server: str | None, name: str, text: str) -> dict[str, Any]:
    source = {"kind": "local", "filename": name, "text": text}
    return terminal.ask(server, "POST", f"{URL}/preview", body={"source": source})


def _local(folder: Path, server: str | None) -> Iterator[dict[str, Any]]:
    """The candidates of the files in a folder. One that cannot be used is told, and the next one is read."""
    for path in sorted(one for one in folder.iterdir() if one.suffix.lower() in ENDINGS and one.is_file()):
        try:
            answer = _preview(server, path.name, terminal.read_text(str(path), path))
        except (ima2.Ima2Error, click.UsageError) as error:
            if isinstance(error, ima2.Ima2Error) and not 400 <= error.status < 500:
                raise
            terminal.remark(f"{path}: {error.text if isinstance(error, ima2.Ima2Error) else error.message}")
            continue
        _warn(answer)
        yield from answer["candidates"]


def _remote(source: str, server: str | None) -> Iterator[dict[str, Any]]:
    place = {"source": {"input": source}, "input": source}
    listed = terminal.ask(server, "POST", f"{URL}/folder-files", body=place)
    _warn(listed)
    paths = [one["path"] for one in listed["files"]]
    for start in range(0, len(paths), FILES_AT_ONCE):
        some = paths[start : start + FILES_AT_ONCE]
        try:
            answer = terminal.ask(server, "POST", f"{URL}/folder-preview", body={**place, "files": some, "paths": some})
        except ima2.Ima2Error as error:
            if error.code != "PROMPT_IMPORT_EMPTY":
                raise
            continue
        _warn({"warnings": answer["warnings"][len(listed["warnings"]) :]})
        yield from answer["candidates"]


def _keep(found: Candidates, *, server: str | None, as_json: bool, folder: str | None, dry_run: bool) -> None:
    """Keep candidates, at most a hundred with a request; with ``dry_run`` only show them."""
    if dry_run:
        show_document({"candidates": found}, compact=as_json)
        return
    if not as_json:
        click.echo(f"{len(found)} candidates" if found else "(no candidates)")
    total: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), "skipped": []}
    for start in range(0, len(found), AT_ONCE):
        body = {"candidates": found[start : start + AT_ONCE], **({"folderId": folder} if folder else {})}
        answer = terminal.ask(server, "POST", f"{URL}/commit", body=body)
        total |= {name: total[name] + answer[name] for name in COUNTS}
        total["skipped"] += [{**one, "index": one["index"] + start} for one in answer["skipped"]]
    if found or as_json:
        _told(total, as_json)


def _told(answer: Mapping[str, Any], as_json: bool) -> None:
    for one in answer["skipped"]:
        terminal.remark(f"left out: {one['kind']} {one['index'] + 1}: {one['reason']}")
    folders = f"{answer['foldersCreated']} folders, " if answer["foldersCreated"] else ""
    report(
        answer,
        as_json,
        lambda found: f"{folders}{found['promptsImported']} imported, {found['duplicatesSkipped']} there already",
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _quietly(server: str | None, path: str) -> dict[str, Any]:
    try:
        return terminal.ask(server, "GET", f"{URL}/{path}")
    except ima2.Ima2Error as error:
        terminal.remark(f"{path}: {error.text}")
        return {}


def _warn(answer: Mapping[str, Any]) -> None:
    for one in answer.get("warnings", []):
        terminal.remark(str(one))
