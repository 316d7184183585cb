"""Opening an address in the person's browser, where there is one."""

from __future__ import annotations

import os
import sys

import click

from ima2.cli.options import remark


def open_in_browser(url: str) -> bool:
    """Open an address, or say where it is where nothing can be opened. Returns whether a browser took it."""
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("WSL_DISTRO_NAME")
    headless = sys.platform.startswith("linux") and not screen
    if headless or click.launch(url) != 0:
        remark(f"No browser could be opened; the address is {url}")
        return False
    return True
