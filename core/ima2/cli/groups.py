"""A group of subcommands that explains itself."""

from __future__ import annotations

from typing import Any

import click

from ima2.kernel.switches import suggestion

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class Group(click.Group):
    """Bare, it shows its help with exit code 0; with an unknown subcommand, its help on stderr with exit code 2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help where no subcommand is given and none is needed."""
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit(0)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but with close matches and the whole help."""
        if args[0].startswith("-") or ctx.resilient_parsing or self.get_command(ctx, args[0]) is not None:
            return super().resolve_command(ctx, args)
        click.echo(ctx.get_help(), err=True)
        raise click.UsageError(f"No such subcommand: {args[0]}.{suggestion(args[0], self.list_commands(ctx))}")
