"""``ima2 prompt``: the library, imports, the prompt builder and templates."""

from __future__ import annotations

from ima2 import terminal
from ima2_plugins.prompts.commands.building import build, expand, lists
from ima2_plugins.prompts.commands.folders import folder
from ima2_plugins.prompts.commands.imports import imports
from ima2_plugins.prompts.commands.library import create, edit, export, favorite, ls, rm, show

prompt = terminal.Group("prompt", help="Keep, find, word and import prompts.")
for command in (ls, show, create, edit, rm, favorite, export, build, expand, lists, folder):
    prompt.add_command(command)
prompt.add_command(imports, "import")
