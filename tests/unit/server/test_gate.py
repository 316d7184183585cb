"""Who may ask, by the name, the page and the address they ask from; and what sessions and guesses are worth."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ima2 import Ima2Error, Stored
from ima2.server import gate
from ima2.server.ranges import part_of
from ima2.server.sessions import GUESSES, SESSION_S, Guesses, Sessions, require_long

TOKEN = "a-token-that-is-long"


# -- the gate ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:3333", "localhost:3333", True),
        ("http://localhost:3333", "127.0.0.1:3333", True),
        ("http://[::1]:3333", "localhost:3333", True),
        ("http://LOCALHOST:3333", "localhost:3333", True),
        ("http://studio.lan:3333", "studio.lan:3333", True),
        ("http://localhost", "localhost", True),
        ("http://localhost:80", "localhost", True),
        ("https://localhost", "localhost:443", True),
        ("http://localhost:3334", "localhost:3333", False),
        ("http://localhost", "localhost:3333", False),
        ("https://localhost", "localhost:80", False),
        ("http://studio.lan:3333", "localhost:3333", False),
        ("http://localhost:3333", "studio.lan:3333", False),
        ("null", "localhost:3333", False),
        ("file://localhost:3333", "localhost:3333", False),
        ("http://", "localhost:3333", False),
    ],
)
def test_a_page_is_the_servers_own_by_name_and_port(origin: str, host: str, same: bool) -> None:
    assert gate._same_server(origin, host) is same


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/api/history/", "/api/history"),
        (b"/API/history///", "/API/history"),
        (b"/api/a%20b?x=%zz", "/api/a b"),
        (b"/generated/a%2Fb/", "/generated/a/b/"),
        ("/generated/ä.png".encode(), "/generated/ä.png"),
        (b"/", "/"),
    ],
)
def test_a_path_is_decoded_once_and_loses_its_last_slash_below_the_api(raw: bytes, path: str) -> None:
    scope: dict[str, Any] = {"raw_path": raw, "path": "?"}
    gate._normalise(scope)
    assert scope["path"] == path


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"/%ff", "BAD_PATH"), (b"/a%2", "BAD_PATH"), (b"/%zz", "BAD_PATH"), (b"/%00", "INVALID_FILENAME")],
)
def test_a_path_that_cannot_be_decoded_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Ima2Error) as caught:
        gate._normalise({"raw_path": raw, "path": "?"})
    assert (caught.value.code, caught.value.status) == (code, 400)


@pytest.mark.parametrize(
    ("client", "headers", "local"),
    [
        (("127.0.0.1", 1), {}, True),
        (("::1", 1), {}, True),
        (("192.168.0.7", 1), {}, False),
        (None, {}, False),
        (("127.0.0.1", 1), {"via": "1.1 proxy"}, False),
        (("127.0.0.1", 1), {"x-real-ip": "10.0.0.1"}, False),
    ],
)
def test_local_is_who_comes_from_this_machine_and_through_nobody(client: Any, headers: Any, local: bool) -> None:
    assert gate.is_local({"client": client}, headers) is local


def test_a_cookie_that_is_none_is_no_session() -> None:
    assert gate._cookie("a=1; ima2_lan=xyz; b=2") == "xyz"
    assert [gate._cookie(header) for header in ("", "a=1", "\x00\x01=")] == ["", "", ""]


# -- sessions --------------------------------------------------------------------------------------------


def test_a_session_is_known_until_it_ends_and_only_as_it_was_signed(tmp_path: Path, monkeypatch: Any) -> None:
    own = Sessions(TOKEN, tmp_path)
    session = own.sign_in(TOKEN, "10.0.0.1")
    until, noise, signature = session.split(".")
    assert own.knows(session)
    assert Sessions(TOKEN, tmp_path).knows(session)
    assert not Sessions(TOKEN + "x", tmp_path).knows(session)
    assert not Sessions(TOKEN, tmp_path / "elsewhere").knows(session)
    for wrong in (f"{int(until) + 1}.{noise}.{signature}", f"{until}.x.{signature}", f"{until}.{noise}.", "", "x", "."):
        assert not own.knows(wrong)
    now = time.time()
    assert 0 <= now + SESSION_S - int(until) <= 2
    monkeypatch.setattr("time.time", lambda: int(until) + 0.0)
    assert not own.knows(session)
    monkeypatch.setattr("time.time", lambda: int(until) - 0.5)
    assert own.knows(session)


def test_the_secret_of_sessions_is_its_owners_only_and_a_short_one_is_replaced(tmp_path: Path) -> None:
    key = tmp_path / "sessions.key"
    key.write_bytes(b"x" * 31)
    first = Sessions(TOKEN, tmp_path).sign_in(TOKEN, "a")
    assert len(key.read_bytes()) == 32
    assert key.stat().st_mode & 0o077 == 0
    assert Sessions(TOKEN, tmp_path).knows(first)


def test_where_the_secret_cannot_be_kept_sessions_last_as_long_as_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    own = Sessions(TOKEN, tmp_path / "file")
    assert own.knows(own.sign_in(TOKEN, "a"))


def test_so_many_guesses_are_free_and_the_next_waits_until_the_window_is_over(tmp_path: Path, monkeypatch: Any) -> None:
    own, now = Sessions(TOKEN, tmp_path), 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for _ in range(GUESSES):
        with pytest.raises(Ima2Error) as caught:
            own.check_token("wrong", "10.0.0.1")
        assert (caught.value.code, caught.value.status) == ("TOKEN_REQUIRED", 401)
    now = 130.0
    with pytest.raises(Ima2Error) as caught:
        own.check_token(TOKEN, "10.0.0.1")
    assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("TOO_MANY_GUESSES", 429, 30.0)
    own.check_token(TOKEN, "10.0.0.2")
    now = 160.0
    own.check_token(TOKEN, "10.0.0.1")
    with pytest.raises(Ima2Error):
        own.check_token("wrong", "10.0.0.1")
    own.check_token(TOKEN, "10.0.0.1")


def test_guesses_are_counted_by_the_network_of_an_ipv6_address_and_forgotten_beyond_a_number() -> None:
    guesses = Guesses()
    for number in range(GUESSES):
        guesses.count(f"2001:db8:1:1::{number:x}")
    with pytest.raises(Ima2Error):
        guesses.check("2001:db8:1:1:ffff::1")
    for free in ("2001:db8:1:2::1", "::ffff:10.0.0.1", "somewhere"):
        guesses.check(free)
    for number in range(4096):
        guesses.count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    guesses.check("2001:db8:1:1::1")
    assert len(guesses._wrong) == 4096


def test_a_token_has_sixteen_characters_at_least() -> None:
    require_long("x" * 16)
    with pytest.raises(Ima2Error) as caught:
        require_long("x" * 15)
    assert (caught.value.code, caught.value.status) == ("LAN_TOKEN_TOO_SHORT", 500)
    assert "15 characters" in caught.value.text
    assert "x" * 15 not in caught.value.text


# -- ranges ----------------------------------------------------------------------------------------------

FILE = Stored("a.mp4", 100, 1_700_000_000_000)


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=0-99", 206, 0, 100),
        ("bytes=0-100", 206, 0, 100),
        ("bytes=99-99", 206, 99, 100),
        ("bytes=99-", 206, 99, 100),
        ("bytes=-1", 206, 99, 100),
        ("bytes=-100", 206, 0, 100),
        ("bytes=-101", 206, 0, 100),
        ("bytes=5-5", 206, 5, 6),
        ("bytes=100-", 416, 0, 0),
        ("bytes=100-100", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=6-5", 200, 0, 100),
        ("bytes=-", 200, 0, 100),
        ("bytes=0-1,3-4", 200, 0, 100),
        ("chunks=0-1", 200, 0, 100),
        ("", 200, 0, 100),
    ],
)
def test_a_range_is_cut_at_the_ends_of_the_file(asked: str, status: int, start: int, end: int) -> None:
    part = part_of(FILE, {"range": asked})
    assert (part.status, part.start, part.end) == (status, start, end)
    if status == 206:
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/100"
    if status == 416:
        assert part.headers["Content-Range"] == "bytes */100"
    assert part.headers["Content-Length"] == str(end - start)


def test_what_a_client_has_is_not_sent_again_and_a_changed_file_is_sent_whole() -> None:
    known = part_of(FILE, {}).headers
    tag, date = known["ETag"], known["Last-Modified"]
    assert date == "Tue, 14 Nov 2023 22:13:20 GMT"
    for have in (tag, f"W/{tag}", f'"x", {tag}'):
        assert part_of(FILE, {"if-none-match": have}).status == 304
    assert part_of(FILE, {"if-none-match": '"x"'}).status == 200
    for have, status in ((tag, 206), (date, 206), ('"x"', 200), ("Tue, 14 Nov 2023 22:13:21 GMT", 200)):
        assert part_of(FILE, {"range": "bytes=0-1", "if-range": have}).status == status
    other = Stored("a.mp4", 100, 1_700_000_000_001)
    assert part_of(other, {}).headers["ETag"] != tag
