"""Run all fakes and say what to set so that the product asks them: ``python -m tests.upstreams [--port N]``.

Each module of this package with a ``routes(world)`` gets a port of its own, from N upwards, because several of them
answer to the same paths. ``environment(base_url)``, where a module has it, names the variables.
"""

from __future__ import annotations

import argparse
import pkgutil
import threading
from contextlib import ExitStack
from importlib import import_module
from inspect import signature
from types import ModuleType

import tests.upstreams
from tests.upstreams.world import World, running


def fakes() -> list[ModuleType]:
    """The modules of this package that are upstreams."""
    names = [found.name for found in pkgutil.iter_modules(tests.upstreams.__path__) if found.name != "__main__"]
    modules = [import_module(f"tests.upstreams.{name}") for name in names]
    return [module for module in modules if len(signature(getattr(module, "routes", fakes)).parameters) == 1]


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
            variables: dict[str, str] = module.environment(world.base_url) if hasattr(module, "environment") else {}
            for variable, value in variables.items():
                print(f"export {variable}={value}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
