"""ima2 inflight: the older names of ps and cancel."""

from __future__ import annotations

import click

from ima2.cli import options
from ima2.cli.commands.cancel import cancel_job
from ima2.cli.commands.ps import KINDS, listing_options, print_jobs
from ima2.cli.groups import Group

inflight = Group(
    "inflight", invoke_without_command=True, help=f"List or stop jobs ({KINDS}); alone it lists what runs."
)


@inflight.command("ls")
@listing_options
def inflight_ls(server: str | None, as_json: bool, kind: str | None, session: str | None, terminal: bool) -> None:
    """List the jobs that are running."""
    print_jobs(server, as_json, kind, session, terminal)


@inflight.command("rm")
@click.argument("job", metavar="requestId")
@options.client_options
def inflight_rm(server: str | None, as_json: bool, job: str) -> None:
    """Stop the job requestId."""
    cancel_job(server, as_json, job)


@click.pass_context
def _bare(ctx: click.Context, /) -> None:
    if ctx.invoked_subcommand is None:
        print_jobs(None, False, None, None, False)


inflight.callback = _bare
