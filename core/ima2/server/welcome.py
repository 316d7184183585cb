"""What a person reads when the server has started."""

from __future__ import annotations

from collections.abc import Iterator

from ima2.catalogue import ranked
from ima2.files import home_label
from ima2.kernel import guard
from ima2.kernel.discovery import State
from ima2.runtime import Runtime
from ima2.server.serving import address
from ima2.version import VERSION


def welcome(runtime: Runtime) -> Iterator[str]:
    """The address, what is ready, what is missing, what to do next: a few short lines."""
    url = address(runtime)
    yield f"ima2 {VERSION} is running at {url}"
    if runtime.port != runtime.settings.port and runtime.settings.port:
        yield f"  (port {runtime.settings.port} was taken)"
    yield f"  gallery    {home_label(runtime.settings.generated)}"
    for provider in ranked(runtime.registry):
        problem = guard.problem(provider)
        yield f"  {provider.id:<10} {'ready: ' + provider.title if problem is None else problem}"
    for record in runtime.booted.records:
        if record.state is State.FAILED:
            yield f"  plugin {record.name} is out of use: {record.error}"
    for warning in runtime.warnings:
        yield f"  note: {warning}"
    drawing = [one for one in ranked(runtime.registry) if "image" in one.capabilities.media]
    able = next((one for one in drawing if guard.problem(one) is None), None)
    choice = f" --provider {able.id}" if able is not None and not able.is_default else ""
    yield f"Next: open {url} in a browser or, in another terminal, run"
    yield f'  ima2 gen "a shiba in space"{choice}'
