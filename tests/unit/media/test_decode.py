"""What an upstream sends is read in any wrapping, and refused when it ends early."""

import base64
import io
import textwrap
import urllib.parse

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

import ima2
from ima2.media.completeness import is_complete
from ima2.media.sniff import JPEG, MP4, PNG, WEBP
from ima2.testing import clip


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def drawn(form: str, **options: object) -> bytes:
    out = io.BytesIO()
    noise = Image.effect_noise((64, 48), 90)
    Image.merge("RGB", [noise, noise.rotate(180), noise]).save(out, form, **options)
    return out.getvalue()


def moving(form: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.effect_noise((32, 32), 50).convert("RGB") for _ in range(3)]
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    return out.getvalue()


FTYP, MOOV = box(b"ftyp", b"isom\0\0\2\0isom"), box(b"moov", box(b"mvhd", bytes(100)))
FIRST_FRAGMENT = FTYP + MOOV + box(b"moof", bytes(40)) + box(b"mdat", bytes(200))
WHOLE = {
    "png": (PNG, drawn("PNG")),
    "moving png": (PNG, moving("PNG")),
    "jpeg": (JPEG, drawn("JPEG", quality=95)),
    "progressive jpeg": (JPEG, drawn("JPEG", progressive=True, restart_marker_rows=1)),
    "jpeg with a thumbnail": (JPEG, drawn("JPEG", comment=drawn("JPEG", quality=5))),
    "webp": (WEBP, drawn("WEBP")),
    "lossless webp": (WEBP, drawn("WEBP", lossless=True)),
    "moving webp": (WEBP, moving("WEBP")),
    "mp4": (MP4, clip().data),
    "mp4, index first": (MP4, FTYP + MOOV + box(b"mdat", bytes(range(256)) * 5)),
    "mp4, index last": (MP4, FTYP + box(b"mdat", bytes(900)) + MOOV),
    "mp4 with a long box": (MP4, FTYP + MOOV + b"\0\0\0\1mdat" + (916).to_bytes(8, "big") + bytes(900)),
    "mp4 in fragments": (MP4, FIRST_FRAGMENT + box(b"moof", bytes(40)) + box(b"mdat", bytes(200))),
}
KINDS = sorted(WHOLE)


def sample(kind: str) -> tuple[str, bytes]:
    media_type, data = WHOLE[kind]
    return media_type, data


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_is_taken_as_its_bytes_say(kind: str) -> None:
    media_type, data = sample(kind)
    assert ima2.decode_media(data) == ima2.Picture(data, media_type)


@given(
    kind=st.sampled_from(KINDS),
    label=st.sampled_from(
        ["", "data:image/png;base64,", "data:application/octet-stream;base64,", "DATA:;base64,", " "]
    ),
    width=st.sampled_from([0, 57, 76]),
    url_safe=st.booleans(),
    padded=st.booleans(),
    percent=st.booleans(),
    as_bytes=st.booleans(),
)
@settings(deadline=None)
def test_any_wrapping_gives_the_same_bytes(
    kind: str, label: str, width: int, url_safe: bool, padded: bool, percent: bool, as_bytes: bool
) -> None:
    media_type, data = sample(kind)
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode()
    text = text if padded else text.rstrip("=")
    text = "\r\n".join(textwrap.wrap(text, width)) if width else text
    text = label + (urllib.parse.quote(text) if percent else text) + "\n"
    assert ima2.decode_media(text.encode() if as_bytes else text) == ima2.Picture(data, media_type)


@given(kind=st.sampled_from(KINDS), place=st.floats(0, 1, exclude_max=True), wrapped=st.booleans())
@example(kind="mp4 in fragments", place=0.6875, wrapped=False)
@settings(deadline=None)
def test_a_file_that_ends_early_is_refused_and_its_bytes_are_kept(kind: str, place: float, wrapped: bool) -> None:
    media_type, data = sample(kind)
    cut = data[: max(12, int(len(data) * place))]
    if kind == "mp4 in fragments" and 0 <= len(cut) - len(FIRST_FRAGMENT) < 8:  # whole without the second one
        return
    with pytest.raises(ima2.MediaError) as failure:
        ima2.decode_media(base64.b64encode(cut).decode() if wrapped else cut)
    assert (failure.value.code, failure.value.status) == ("PICTURE_INCOMPLETE", 502)
    assert (failure.value.data, failure.value.media_type) == (cut, media_type)
    assert str(len(cut)) in failure.value.text


@given(kind=st.sampled_from(KINDS), behind=st.binary(max_size=7))
@settings(deadline=None)
def test_what_stands_behind_the_end_does_not_matter(kind: str, behind: bytes) -> None:
    media_type, data = sample(kind)
    assert ima2.decode_media(data + behind) == ima2.Picture(data + behind, media_type)


def test_base64_that_was_cut_inside_a_letter_group_is_incomplete_not_unreadable() -> None:
    text = base64.b64encode(WHOLE["png"][1]).decode()
    with pytest.raises(ima2.MediaError) as failure:
        ima2.decode_media(text[:401])
    assert (failure.value.code, len(failure.value.data)) == ("PICTURE_INCOMPLETE", 300)


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_anything_else_is_no_picture_and_never_a_crash(value: str | bytes) -> None:
    with pytest.raises(ima2.MediaError) as failure:
        ima2.decode_media(value)
    assert failure.value.code in {"PICTURE_INVALID", "PICTURE_INCOMPLETE"}


@given(head=st.sampled_from([WHOLE[kind] for kind in KINDS]), rest=st.binary(max_size=200), length=st.integers(4, 60))
def test_no_damage_makes_the_walk_fail_or_run_for_ever(head: tuple[str, bytes], rest: bytes, length: int) -> None:
    assert is_complete(head[1][:length] + rest, head[0]) in {True, False}


def test_a_webp_without_its_last_padding_byte_is_whole() -> None:
    payload = b"\x2f" + bytes(6)
    body = b"WEBPVP8L" + len(payload).to_bytes(4, "little") + payload
    data = b"RIFF" + len(body).to_bytes(4, "little") + body
    assert ima2.decode_media(data).data == data


def test_the_error_shows_no_byte_of_what_arrived() -> None:
    with pytest.raises(ima2.MediaError) as failure:
        ima2.decode_media("a secret text, no picture")
    assert "secret" not in f"{failure.value!r} {failure.value}"
