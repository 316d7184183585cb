"""Which proxy a request goes through."""

from __future__ import annotations

import pytest

from ima2.errors import Ima2Error
from ima2.network.proxies import Proxies

CORP = "http://proxy.corp:3128"


def found(environ: dict[str, str], host: str = "api.example.com", scheme: str = "https", port: int = 443) -> str | None:
    proxy = Proxies(environ).find(scheme, host, port)
    return proxy.url if proxy else None


@pytest.mark.parametrize(
    ("environ", "scheme", "url"),
    [
        ({}, "https", None),
        ({"HTTPS_PROXY": CORP}, "https", CORP),
        ({"HTTPS_PROXY": CORP}, "http", None),
        ({"HTTP_PROXY": CORP}, "https", None),
        ({"http_proxy": CORP}, "http", CORP),
        ({"ALL_PROXY": CORP}, "https", CORP),
        ({"ALL_PROXY": CORP}, "http", CORP),
        ({"ALL_PROXY": "http://other:1", "HTTPS_PROXY": CORP}, "https", CORP),
        ({"HTTPS_PROXY": "http://other:1", "https_proxy": CORP}, "https", CORP),
        ({"HTTPS_PROXY": CORP, "https_proxy": ""}, "https", None),
        ({"HTTPS_PROXY": ""}, "https", None),
    ],
)
def test_each_scheme_has_its_variable_and_all_proxy_stands_in(
    environ: dict[str, str], scheme: str, url: str | None
) -> None:
    assert found(environ, scheme=scheme) == url


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("proxy.corp:3128", "http://proxy.corp:3128"),
        ("user:secret@proxy.corp:3128", "http://user:secret@proxy.corp:3128"),
        ("HTTP://proxy.corp", "http://proxy.corp"),
        ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("socks5h://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
        ("socks://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_a_value_is_taken_as_curl_takes_it(value: str, url: str) -> None:
    assert found({"HTTPS_PROXY": value}) == url


@pytest.mark.parametrize(
    "value", ["socks4://h:1", "ftp://h:1", "http://", "h:port", "http://user@h:99999", "http://[::1", "http://h:0"]
)
def test_a_value_that_cannot_be_used_is_one_sentence_that_names_the_variable(value: str) -> None:
    with pytest.raises(Ima2Error, match="HTTPS_PROXY") as caught:
        found({"HTTPS_PROXY": value})
    assert caught.value.code == "PROXY_INVALID"
    assert "user" not in caught.value.text


def test_a_bad_value_troubles_nobody_who_needs_no_proxy() -> None:
    bad = {"HTTPS_PROXY": "socks4://h:1", "NO_PROXY": "example.com"}
    assert found(bad) is None
    assert found(bad, host="127.0.0.1") is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "LOCALHOST."])
def test_this_machine_is_never_reached_through_a_proxy(host: str) -> None:
    assert found({"ALL_PROXY": CORP}, host=host) is None


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        ("*", "api.example.com"),
        ("api.example.com", "api.example.com"),
        ("API.Example.com", "api.example.com"),
        ("example.com", "api.example.com"),
        (".example.com", "api.example.com"),
        ("*.example.com", "api.example.com"),
        (".example.com", "example.com"),
        ("other.org, example.com", "api.example.com"),
        ("other.org example.com", "api.example.com"),
        ("api.example.com:443", "api.example.com"),
        ("example.com", "api.example.com."),
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3"),
        ("fd00::/8", "fd00::5"),
        ("[fd00::5]:443", "fd00::5"),
    ],
)
def test_hosts_of_no_proxy_are_reached_directly(listed: str, host: str) -> None:
    assert found({"HTTPS_PROXY": CORP, "NO_PROXY": listed}, host=host) is None


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        ("ample.com", "api.example.com"),
        ("api.example.com:8443", "api.example.com"),
        ("10.0.0.0/8", "11.1.2.3"),
        ("10.0.0.0/99", "10.1.2.3"),
        ("0.0.1", "10.0.0.1"),
        (",,", "api.example.com"),
        (".", "api.example.com"),
    ],
)
def test_other_hosts_are_not(listed: str, host: str) -> None:
    assert found({"HTTPS_PROXY": CORP, "NO_PROXY": listed}, host=host) == CORP


def test_a_proxys_password_is_in_no_representation() -> None:
    proxy = Proxies({"HTTPS_PROXY": "http://me:secret@h:1"}).find("https", "x.example", 443)
    assert "secret" not in repr(proxy)
