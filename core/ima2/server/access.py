"""How routes reach the runtime."""

from __future__ import annotations

from starlette.requests import Request

from ima2.runtime import Runtime


def runtime_of(request: Request) -> Runtime:
    """The runtime a request came to."""
    runtime: object = request.app.state.runtime
    assert isinstance(runtime, Runtime)
    return runtime


def request_id_of(request: Request) -> str:
    """The id of a request: the client's own, or a fresh one."""
    return str(request.state.request_id)
