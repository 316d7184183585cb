"""``python -m ima2``: the command line."""

from __future__ import annotations

from ima2.cli import main

main()
