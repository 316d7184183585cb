"""Run all fakes and say what to set so that the product asks them: ``python -m tests.upstreams [--port N]``.

Each module of this package with ``routes(world)`` and ``environment(base_url)`` gets a port of its own, from N upwards,
because several of them answer to the same paths; the latter names the variables. The fake command line program is put
into a temporary folder.
"""

from __future__ import annotations

import argparse
import pkgutil
import shlex
import threading
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import tests.upstreams
from tests.upstreams import agy_cli
from tests.upstreams.world import World, picture, running


def fakes() -> list[ModuleType]:
    """The modules of this package that are upstreams."""
    names = [found.name for found in pkgutil.iter_modules(tests.upstreams.__path__) if found.name != "__main__"]
    modules = [import_module(f"tests.upstreams.{name}") for name in names]
    return [module for module in modules if hasattr(module, "environment")]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstreams", description=tests.upstreams.__doc__)
    parser.add_argument("--port", type=int, default=19400, help="the first port (default: %(default)s)")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds each answer takes")
    options = parser.parse_args()
    with ExitStack() as stack:
        for number, module in enumerate(fakes()):
            world = World(delay=options.delay)
            stack.enter_context(running(world, module.routes(world), port=options.port + number))
            name = module.__name__.rsplit(".", 1)[1]
            print(f"# {name}: {world.base_url}", flush=True)
            variables: dict[str, str] = module.environment(world.base_url)
            for variable, value in variables.items():
                print(f"export {variable}={shlex.quote(value)}", flush=True)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ima2-fake-")))
        print(f"# a program\nexport IMA2_AGY_COMMAND={agy_cli.install(folder, picture=picture(512, 512))}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
