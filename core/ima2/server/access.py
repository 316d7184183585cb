"""How routes reach the house."""

from __future__ import annotations

from starlette.requests import Request

from ima2.assemble import House


def house_of(request: Request) -> House:
    """The house a request came to."""
    house: object = request.app.state.house
    assert isinstance(house, House)
    return house


def request_id_of(request: Request) -> str:
    """The id of a request: the client's own, or a fresh one."""
    return str(request.state.request_id)
