"""ima2 completion: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ima2.cli import output
from ima2.errors import Ima2Error


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for SHELL.

    bash: eval "$(ima2 completion bash)" in ~/.bashrc; zsh the same in ~/.zshrc;
    fish: ima2 completion fish > ~/.config/fish/completions/ima2.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Ima2Error(output.USAGE, 400, f"This version of click has no completion for {shell}.")
    try:
        script = kind(ctx.find_root().command, {}, "ima2", "_IMA2_COMPLETE").source()
    except RuntimeError as error:
        raise Ima2Error("SHELL_UNSUPPORTED", 400, str(error)) from None
    click.echo(script)
