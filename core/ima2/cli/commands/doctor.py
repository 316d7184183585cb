"""ima2 doctor: what is wrong here, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import click

from ima2.cli import doctor_checks, options, output
from ima2.cli.client_settings import ClientSettings, client_settings
from ima2.cli.doctor_checks import Check
from ima2.cli.server_discovery import PATIENT_S, probe, read_advertisement
from ima2.errors import Ima2Error
from ima2.kernel import guard

if TYPE_CHECKING:
    from ima2.kernel.boot import Booted

_MARKS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "warn": ("!", "yellow"), "info": ("·", "dim")}


@click.command(context_settings=options.CONTEXT)
@click.option("--repair", is_flag=True, help="Set a damaged database aside; the next start makes a new one.")
@options.as_json
@click.pass_context
def doctor(ctx: click.Context, /, repair: bool, as_json: bool) -> None:
    """Check this installation, its folders, plugins and running server. Exit code 1 when a check failed.

    Nothing is changed without --repair, and nobody beyond this machine is asked.
    """
    where = client_settings()
    if repair:
        _repair(where)
    installed = list(chain(doctor_checks.python(), doctor_checks.package(), plugins()))
    stored = list(chain(doctor_checks.config(where), doctor_checks.folders(where), doctor_checks.database(where)))
    stored += doctor_checks.gallery()
    sections = {"Installation": installed, "Storage": stored, "Server": list(server(where))}
    found = [check for section in sections.values() for check in section]
    counts = {result: sum(check.result == result for check in found) for result in _MARKS}
    if as_json:
        rows = [{"id": check.id, "result": check.result, "text": check.text} for check in found]
        summary = {"passed": counts["pass"], "failed": counts["fail"], "warnings": counts["warn"]}
        output.print_json({"ok": not counts["fail"], "checks": rows, "summary": summary})
    else:
        _print(sections)
        click.echo(f"\n{counts['pass']} passed, {counts['fail']} failed, {counts['warn']} warnings")
    ctx.exit(1 if counts["fail"] else 0)


def _repair(where: ClientSettings) -> None:
    """Set a damaged database aside, while no server has it open."""
    from ima2.database.repair import repair
    from ima2.jobs.process_lock import only_server

    with only_server(where.config_dir, ""):
        aside = repair(where.database)
    text = f"The damaged database lies in {aside} now." if aside else "The database is whole: nothing was moved."
    click.echo(text, err=True)


def plugins() -> Iterator[Check]:
    """Every plugin that is on works; there is a provider that is ready, a thumbnailer and the storage in use."""
    from ima2.cli.inspection import inspect_here
    from ima2.kernel.discovery import State

    try:
        booted = inspect_here()
    except Ima2Error as error:
        yield Check("plugins", "fail", error.text)
        return
    failed = [record for record in booted.records if record.state is State.FAILED]
    for record in failed:
        yield Check(f"plugin:{record.name}", "fail", f"Plugin {record.name} ({record.stage}): {record.error}")
    unknown = booted.switches.unknown(record.name for record in booted.records)
    if unknown:
        yield Check("plugins", "fail", unknown)
    if not failed and not unknown:
        yield Check("plugins", "pass", f"{len(booted.ready())} plugins work.")
    yield from _parts(booted)


def _parts(booted: Booted) -> Iterator[Check]:
    """What the parts lack."""
    from ima2.catalogue import model_warnings, ranked
    from ima2.media.sniff import PNG

    ready = 0
    for provider in ranked(booted.registry):
        problem = guard.problem(provider)
        ready += problem is None
        text = f"{provider.title} ({provider.id}): {problem or 'ready'}"
        yield Check(f"provider:{provider.id}", "warn" if problem else "pass", text)
        if problem is None and (ended := model_warnings(provider)):
            yield Check(f"models:{provider.id}", "warn", f"{provider.title} ({provider.id}): {' '.join(ended)}")
    if not ready:
        yield Check("providers", "warn", "No provider is ready: add a key in the Settings page, or turn one on.")
    if booted.registry.thumbnailer(PNG) is None:
        yield Check("thumbnailer", "warn", "No thumbnailer is in use: the gallery shows pictures in full size.")
    else:
        yield Check("thumbnailer", "pass", "A thumbnailer is present.")
    for storage in booted.registry.storages.values():
        problem = guard.problem(storage)
        if problem:
            yield Check(f"storage:{storage.id}", "fail", problem)
    if not booted.registry.storages:
        yield Check("storages", "fail", "No plugin offers a storage: pictures could not be kept.")


def server(where: ClientSettings) -> Iterator[Check]:
    """Whether the server that says it runs does answer."""
    note = read_advertisement(where)
    url = note.get("url") if note else None
    if not isinstance(url, str):
        taken = "" if doctor_checks.is_port_free(where.port) else ", which is taken: the next free one will be used"
        yield Check("server", "info", f"No server runs; `ima2 serve` starts one on port {where.port}{taken}.")
        return
    found = options.run_async(probe(url, PATIENT_S))
    if found is None:
        text = f"{where.advertisement.name} names {url}, which does not answer: start `ima2 serve`, or remove the file."
        yield Check("server", "warn", text)
        return
    health = found.health
    good = health.get("ok") is True
    facts = f"version {health.get('version')}, {health.get('activeJobs')} active jobs"
    yield Check("server", "pass" if good else "fail", f"The server at {found.base} answers ({facts}).")


def _print(sections: dict[str, list[Check]]) -> None:
    click.echo(output.style("ima2 Doctor", "bold"))
    for title, found in sections.items():
        click.echo(f"\n{output.style(title, 'bold')}")
        for check in found:
            mark, look = _MARKS[check.result]
            click.echo(f"  {output.style(mark, look)} {output.plain(check.text)}")
