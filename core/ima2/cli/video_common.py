"""What the commands of ``ima2 video`` share: their options, how the group picks one, and fetching a clip."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from ima2.cli.destination import MediaFile
from ima2.cli.groups import CONTEXT, Group
from ima2.client import Client
from ima2.errors import Ima2Error
from ima2.kernel.switches import suggestion
from ima2.media.sniff import MP4

Command = Callable[..., Any]
NO_PROMPT = (
    "A prompt is missing. Say what is seen and how it moves, which sound there is or that there is silence, "
    "who speaks or that nobody does, the last frame, and how the pace fills the whole duration."
)
RESOLUTIONS = ("480p", "720p")
ASPECT_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "auto")
JOB_S, FRAME_S, ANALYSIS_S = 600, 60, 180


class Whole(click.IntRange):
    """A number written in digits alone, within its range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or `click.UsageError`."""
        if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}", value):
            limits = f" {self._describe_range()}" if self.max is not None else " of at least 1"
            self.fail(f"{value!r} is not a whole number{limits}.", param, ctx)
        return super().convert(value, param, ctx)


class VideoCommand(click.Command):
    """A command that names the option it does not know."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but for the wording of this one mistake."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [name for param in self.params for name in param.opts if name.startswith("--")]
            guess = suggestion(error.option_name, known)
            raise click.UsageError(f"unknown option: {error.option_name}.{guess}", ctx) from None


class ModelOption(click.Option):
    """``--model``: its help names the models for clips that are installed, which is looked up when it is shown."""

    def make_metavar(self, *args: Any, **kwargs: Any) -> str:
        """``<id>|…``."""
        from ima2.cli.offers import list_offers

        return "|".join(list_offers().video_models) or "ID"


class VideoGroup(Group):
    """A group whose ``default`` runs where the first word is no subcommand: that word then belongs to the prompt."""

    command_class = VideoCommand
    default: click.Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Only the very first word can name a subcommand or ask for help."""
        first = args[0] if args else ""
        if first in self.commands or first in CONTEXT["help_option_names"] or ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        return super().parse_args(ctx, ["--", *(args or ["--"])])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand, or the default with all the words."""
        if args[0] in self.commands or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        return "", self.default, args

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The default's own words, as that is what most people want."""
        return self.default.collect_usage_pieces(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The default's options, then the subcommands."""
        click.Command.format_options(self.default, ctx, formatter)
        self.format_commands(ctx, formatter)


def timeout_option(seconds: int) -> Callable[[Command], Command]:
    """``--timeout`` in seconds."""
    return click.option(
        "--timeout", type=Whole(min=1), metavar="SEC", help=f"Longest wait [default: {seconds} for an answer]"
    )


def duration_option(least: int, most: int, default: int) -> Callable[[Command], Command]:
    """``--duration`` in whole seconds."""
    return click.option(
        "--duration",
        type=Whole(least, most),
        default=default,
        show_default=True,
        metavar=f"<{least}..{most}>",
        help="Seconds.",
    )


out_option = click.option("-o", "--out", "--output", "out", type=click.Path(path_type=Path), help="Write to this file.")
force_option = click.option("--force", is_flag=True, help="Replace the file of -o.")
model_option = click.option("--model", cls=ModelOption, help="Model [default: the provider's own]")
planner_option = click.option("--planner-model", metavar="ID", help="Model that turns the prompt into a plan.")
storyboard_option = click.option("--storyboard", is_flag=True, help="The picture is a sheet of keyframes.")
aspect_option = click.option("--aspect-ratio", type=click.Choice(ASPECT_RATIOS), default="auto", show_default=True)
source_option = click.option("--video", "source", required=True, metavar="CLIP", help="Clip to begin with.")


def resolution_option(default: str) -> Callable[[Command], Command]:
    """``--resolution``."""
    return click.option("--resolution", type=click.Choice(RESOLUTIONS), default=default, show_default=True)


def gallery_name(text: str) -> str:
    """A clip of the gallery by its name there: of a path on this machine, the file's name."""
    name = text.removeprefix("/generated/")
    return os.path.basename(name) if os.path.isabs(name) or name.startswith(("./", "../", "~")) else name


async def fetch(client: Client, answer: Mapping[str, Any], limit: float) -> MediaFile:
    """The clip that an answer names by ``url`` or ``filename``, downloaded."""
    name, url = answer.get("filename"), answer.get("url")
    name = name if isinstance(name, str) and name else None
    path = url if isinstance(url, str) and re.match(r"/[^/]", url) else f"/generated/{quote(name)}" if name else None
    if path is None:
        raise Ima2Error("NO_VIDEO", 0, "The server answered without naming a clip.")
    return MediaFile(await client.download(path, limit), name or path.rpartition("/")[2], MP4)


def print_indented(value: Any) -> None:
    """Print a JSON document over several lines."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
