"""Places at GitHub are read strictly."""

from __future__ import annotations

import pytest

import ima2
from ima2_plugins.prompts.importing.github import file_place, folder_place


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://github.com/o/r/blob/main/docs/a.md", "https://raw/o/r/main/docs/a.md"),
        ("http://www.github.com/o/r/blob/v1.2/a%20b.md?plain=1#top", "https://raw/o/r/v1.2/a%20b.md"),
        ("https://raw.githubusercontent.com/o/r/main/x/y.TXT", "https://raw/o/r/main/x/y.TXT"),
        ("o/r:a.markdown", "https://raw/o/r/main/a.markdown"),
        ("o/r@dev:x/가.md", "https://raw/o/r/dev/x/%EA%B0%80.md"),
        ("o/r@dev:50%25.md", "https://raw/o/r/dev/50%25.md"),
    ],
)
def test_a_file_is_named_by_its_address_or_in_short(text: str, url: str) -> None:
    assert file_place(text).raw_url("https://raw/") == url


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("https://github.com.evil.org/o/r/blob/main/a.md", "INVALID_GITHUB_SOURCE"),
        ("https://user@github.com/o/r/blob/main/a.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com:8443/o/r/blob/main/a.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com:99999999/o/r/blob/main/a.md", "INVALID_GITHUB_SOURCE"),
        ("https://[::1/o/r/blob/main/a.md", "INVALID_GITHUB_SOURCE"),
        ("file:///etc/passwd", "INVALID_GITHUB_SOURCE"),
        ("https://github.com/o/r/blob/main/..%2fa.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com/o/r/blob/main/%2e%2e/a.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com/o/r/blob/main/%252e%252e/a.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com/o/r/blob/main/a%00.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com/o/r/blob/main/a%5cb.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com/../r/blob/main/a.md", "INVALID_GITHUB_SOURCE"),
        ("https://github.com/o/r/blob/../a.md", "INVALID_GITHUB_SOURCE"),
        ("o/..:a.md", "INVALID_GITHUB_SOURCE"),
        ("-o/r:a.md", "INVALID_GITHUB_SOURCE"),
        ("o/r:/a.md", "INVALID_GITHUB_SOURCE"),
        ("just words", "INVALID_GITHUB_SOURCE"),
        ("", "INVALID_GITHUB_SOURCE"),
        (None, "INVALID_GITHUB_SOURCE"),
        (["o/r:a.md"], "INVALID_GITHUB_SOURCE"),
        ("o/r:README", "FOLDER_IMPORT_DEFERRED"),
        ("https://github.com/o/r", "FOLDER_IMPORT_DEFERRED"),
        ("o/r:a.exe", "UNSUPPORTED_EXTENSION"),
    ],
)
def test_anything_else_is_refused(value: object, code: str) -> None:
    with pytest.raises(ima2.Ima2Error) as refused:
        file_place(value)
    assert refused.value.code == code


def test_a_folder_is_named_by_its_address_or_in_short() -> None:
    plain, deep, top = (
        folder_place(text)
        for text in ("o/r@dev:prompts/", "https://github.com/o/r/tree/main/a/b", "https://github.com/o/r/tree/main")
    )
    assert (plain.ref, plain.path, plain.ambiguous) == ("dev", "prompts", False)
    assert (deep.path, deep.ambiguous) == ("a/b", True)
    assert (top.path, top.ambiguous, top.api_path()) == ("", False, "/repos/o/r/contents/?ref=main")


@pytest.mark.parametrize(
    ("value", "code", "status"),
    [
        (" ", "INVALID_GITHUB_SOURCE", 400),
        ("https://gitlab.com/o/r/tree/main/a", "INVALID_GITHUB_SOURCE", 400),
        ("https://github.com/o/r/tree/main/../../x", "INVALID_GITHUB_SOURCE", 400),
        ("./prompts", "GITHUB_FOLDER_UNSUPPORTED", 422),
        ("https://github.com/o/r/blob/main/a.md", "GITHUB_FOLDER_UNSUPPORTED", 422),
        ("o/r@feature/x:a", "AMBIGUOUS_GITHUB_REF", 422),
    ],
)
def test_what_names_no_folder_is_refused(value: str, code: str, status: int) -> None:
    with pytest.raises(ima2.Ima2Error) as refused:
        folder_place(value)
    assert (refused.value.code, refused.value.status) == (code, status)
