"""Listening: the socket, who may reach it, the note that tells clients where it is."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from ima2.errors import Ima2Error
from ima2.files import is_running, private_folder, write_whole
from ima2.kernel.guard import origin
from ima2.network.addresses import is_loopback
from ima2.runtime import Runtime
from ima2.server.sessions import require_long
from ima2.version import VERSION

log = logging.getLogger("ima2.serve")
TRIES = 21
ANYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104


def require_token(runtime: Runtime) -> None:
    """Refuse to listen to other machines without a token (``LAN_TOKEN_REQUIRED``), or with one that can be guessed."""
    if not is_loopback(runtime.settings.host) and runtime.settings.lan_token is None:
        text = (
            "Other machines could reach this address. Set IMA2_LAN_TOKEN to a secret of your own first, "
            "or bind to 127.0.0.1."
        )
        raise Ima2Error("LAN_TOKEN_REQUIRED", 500, text)
    if runtime.settings.lan_token is not None:
        require_long(runtime.settings.lan_token.get_secret_value())


@contextmanager
def explained_start(config_dir: Path) -> Iterator[None]:
    """Turn what is raised while a server starts into an `Ima2Error`: one sentence, where possible with the way out."""
    try:
        yield
    except Ima2Error:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            text = f"The disk with {config_dir} is full. Free some space and try again."
            raise Ima2Error("DISK_FULL", 507, text) from error
        reason = error.strerror or type(error).__name__
        text = (
            f"{error.filename or config_dir} cannot be used ({reason}). Make {config_dir} a folder that this user can "
            "write to, or name another one with IMA2_CONFIG_DIR."
        )
        raise Ima2Error("CONFIG_DIR_UNUSABLE", 500, text) from error
    except Exception as error:
        text = f"The server stopped with a fault of its own: {type(error).__name__} at {origin(error)}."
        raise Ima2Error("INTERNAL_ERROR", 500, text) from error


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on ``port`` or, when that is taken, one of the next 20. ``PORT_RANGE_EXHAUSTED`` if none is
    free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, port + TRIES if port else 1):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise Ima2Error("BIND_FAILED", 500, f"Cannot listen on {host}:{candidate}: {error.strerror}.") from None
            continue
        return listener
    raise Ima2Error("PORT_RANGE_EXHAUSTED", 500, f"The ports {port} to {port + TRIES - 1} are all taken.")


def own_names() -> list[str]:
    """Names and addresses of this machine, for a server that listens on all of them."""
    name = socket.gethostname()
    names = {name, f"{name}.local"}
    with suppress(OSError):
        names.update(str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(name, None))
    return sorted(names)


def address(runtime: Runtime) -> str:
    """The URL of this server."""
    host = runtime.settings.host
    shown = "localhost" if host in ANYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{runtime.port or runtime.settings.port}"


def other_server(advertisement: Path) -> str:
    """Where the server is that holds this folder, as it says itself: `` at <url>, process <number>``."""
    with suppress(OSError, orjson.JSONDecodeError, KeyError, TypeError):
        note = orjson.loads(advertisement.read_bytes())
        if is_running(int(note["pid"])):
            return f" at {note['url']}, process {note['pid']}"
    return ""


@contextmanager
def advertised(runtime: Runtime, facts: dict[str, Any]) -> Iterator[None]:
    """Tell clients where the server is, in ``server.json``, for as long as it listens. Holds nothing secret."""
    path = runtime.settings.advertisement
    note = {
        "port": runtime.port,
        "url": address(runtime),
        "pid": os.getpid(),
        "startedAt": runtime.started_at,
        "version": VERSION,
    }
    try:
        private_folder(path.parent)
        write_whole(path, orjson.dumps({**note, **facts}, option=orjson.OPT_INDENT_2))
    except OSError as error:
        log.warning("server.json could not be written: %s", error.strerror)
    try:
        yield
    finally:
        with suppress(OSError, orjson.JSONDecodeError, AttributeError):
            if orjson.loads(path.read_bytes()).get("pid") == os.getpid():
                path.unlink()
