"""The commands by name: where each is, and what the main help says of it without importing it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandSummary:
    """One command. ``usage`` is how the main help shows it; an empty one is left out there."""

    target: str
    section: str
    usage: str
    help: str


def _table(section: str, *rows: tuple[str, str, str, str]) -> dict[str, CommandSummary]:
    return {name: CommandSummary(f"ima2.cli.commands.{target}", section, *texts) for name, target, *texts in rows}


BUILTIN: dict[str, CommandSummary] = {
    **_table(
        "Server",
        ("serve", "serve:serve", "serve [--dev]", "Start the studio and its web page"),
        ("status", "status:status", "status", "Show where settings, pictures and a running server are"),
        ("open", "open:open_", "open", "Open the page in a browser"),
        ("doctor", "doctor:doctor", "doctor", "Check this installation and say what to repair"),
        ("ping", "ping:ping", "ping", "Ask whether the server answers"),
        ("storage", "storage:storage", "storage <sub>", "Show where the gallery lies (status)"),
    ),
    **_table(
        "Picture",
        ("gen", "gen:gen", "gen <prompt>", "Make pictures from words"),
        ("edit", "edit:edit", "edit <file> -p <text>", "Change a picture"),
        ("multimode", "multimode:multimode", "multimode <prompt>", "Make several pictures of one story"),
        ("node", "node:node", "node <sub>", "Grow pictures from one another (generate, show)"),
        ("video", "video:video", "video <prompt>", "Make clips (also edit, extend, continue, frame, analyze)"),
        ("ls", "ls:ls", "ls", "List what was made"),
        ("show", "show:show", "show <name>", "Show one picture's facts"),
    ),
    **_table(
        "Job",
        ("ps", "ps:ps", "ps", "List the jobs that are running"),
        ("cancel", "cancel:cancel", "cancel <id>", "Stop a job"),
        ("get", "get:get", "get <id>", "Fetch what a job made"),
        ("wait", "get:wait", "wait <id...>", "Wait for jobs, and fetch what they made"),
        ("inflight", "inflight:inflight", "inflight <sub>", "List or stop jobs (ls, rm)"),
    ),
    **_table(
        "Setting",
        ("plugins", "plugins:plugins", "plugins <sub>", "List, check, enable and disable plugins"),
        ("config", "config:config", "config <sub>", "Read and write config.json"),
        ("defaults", "defaults:defaults", "defaults <sub>", "Show or set the default model and effort"),
        ("reset", "reset:reset", "reset", "Empty config.json"),
        ("providers", "providers:providers", "providers", "Show which providers are ready"),
        ("capabilities", "capabilities:capabilities", "capabilities", "Show models, sizes and limits"),
        ("completion", "completion:completion", "completion <shell>", "Print a completion script (bash, zsh, fish)"),
    ),
}

SUBCOMMANDS = {
    "config": "get keys ls path rm set",
    "defaults": "ls reset set",
    "inflight": "ls rm",
    "node": "generate show",
    "plugins": "check disable enable list show",
    "storage": "status",
    "video": "analyze continue edit extend frame",
}
"""What the groups of commands hold."""


def command_names() -> list[str]:
    """Every command of ima2 itself, subcommands after their group: ``node``, ``node generate``, ..."""
    return [
        name
        for group in sorted(BUILTIN)
        for name in (group, *(f"{group} {sub}" for sub in SUBCOMMANDS.get(group, "").split()))
    ]


WORKFLOW = """\
Generation workflow:
  Jobs run on the server and go on when a client leaves.
  For several pictures of one prompt use `ima2 gen -n <N>`: one call, not N.
  Jobs that do not depend on each other may run side by side.
  Watch them with `ima2 ps --json`; stop one with `ima2 cancel <id>`."""

EXAMPLES = """\
Examples:
  ima2 gen "a lighthouse at dawn" -n 4 -d ./out
  ima2 ps --json"""
