"""Metadata goes in and comes out, and not one pixel or foreign byte changes."""

import io
import json
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from ima2.media.embed import Found, embed, read
from ima2.media.payload import payload
from ima2.media.sniff import media_type_of, size_of

FACTS = {"version": "2.1", "createdAt": 1760000000000, "prompt": 'say "<hi>" & go\n&quot; 여우 🦊', "size": "40x30"}
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
FOREIGN = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/any"/></rdf:RDF></x:xmpmeta>'
).encode()
KINDS = ["PNG", "JPEG", "WEBP", "WEBP lossless", "WEBP alpha"]


def drawn(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    image = Image.radial_gradient("L").resize(size)
    return Image.merge(mode, [image.rotate(90 * turn) for turn in range(len(mode))]) if len(mode) > 1 else image


def picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    form, _, variant = kind.partition(" ")
    mode = "RGBA" if variant == "alpha" else "RGB"
    drawn(mode).save(out, form, lossless=bool(variant), **options)
    return out.getvalue()


def pixels(data: bytes) -> tuple[str, bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.tobytes()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every chunk, its checksum verified."""
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        found.append((kind, body))
        at += 12 + length
    return found


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    assert struct.unpack_from("<I", data, 4)[0] + 8 == len(data)
    found, at = [], 12
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    assert at == len(data)
    return found


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def jpeg_with(*segments: tuple[int, bytes], after: int = 20) -> bytes:
    """A JPEG with further segments put behind its JFIF segment."""
    plain = picture("JPEG")
    assert plain[2:4] == b"\xff\xe0"
    assert struct.unpack_from(">H", plain, 4)[0] == after - 4
    return plain[:after] + b"".join(struct.pack(">BBH", 255, m, len(b) + 2) + b for m, b in segments) + plain[after:]


@pytest.mark.parametrize("kind", KINDS)
class TestEveryFormat:
    def test_what_is_put_in_comes_out(self, kind: str) -> None:
        assert read(embed(picture(kind), FACTS)) == Found(payload(FACTS), "xmp")

    def test_pixels_mode_and_size_stay(self, kind: str) -> None:
        before = picture(kind)
        after = embed(before, FACTS)
        assert pixels(after) == pixels(before)
        assert size_of(after) == (40, 30)
        assert media_type_of(after) == media_type_of(before)

    def test_a_second_record_replaces_the_first(self, kind: str) -> None:
        once = embed(picture(kind), FACTS)
        twice = embed(once, FACTS | {"prompt": "another"})
        assert read(twice).metadata == payload(FACTS | {"prompt": "another"})
        assert twice.count(b"ima2:GenerationMetadata=") == 1
        assert embed(twice, FACTS) == once

    def test_other_software_finds_a_well_formed_packet(self, kind: str) -> None:
        with Image.open(io.BytesIO(embed(picture(kind), FACTS))) as image:
            image.load()
            words = image.info["xmp"] if isinstance(image.info["xmp"], bytes) else image.info["xmp"].encode()
        assert words.startswith(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>')
        from xml.etree import ElementTree

        description = ElementTree.fromstring(words)[0][0]
        value = description.get("{https://github.com/lidge-jun/ima2-gen/ns/1.0/}GenerationMetadata")
        assert value is not None
        assert json.loads(value) == payload(FACTS)

    def test_colour_profile_and_exif_stay_where_they_were(self, kind: str) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        before = picture(kind, icc_profile=b"p" * 131, exif=exif.tobytes())
        after = embed(before, FACTS)
        with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
            assert new.info["icc_profile"] == old.info["icc_profile"] == b"p" * 131
            assert new.getexif()[0x0112] == 6
        assert read(after).metadata == payload(FACTS)

    def test_a_packet_of_someone_else_is_kept_and_extended(self, kind: str) -> None:
        if kind == "PNG":
            plain = picture(kind)
            before = plain[:33] + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + FOREIGN) + plain[33:]
        else:
            before = picture(kind, xmp=FOREIGN)
        after = embed(before, FACTS)
        assert read(after).metadata == payload(FACTS)
        assert after.count(b'dc:format="image/any"') == after.count(b"</rdf:RDF>") == 1
        assert pixels(after) == pixels(before)

    def test_a_packet_that_cannot_be_extended_leaves_the_picture_alone(self, kind: str) -> None:
        for words in (b"<x:xmpmeta/>", FOREIGN.replace(b"dc:format", b"dcterms:provenance"), b"\xff\xfe<\0"):
            if kind == "PNG":
                plain = picture(kind)
                before = plain[:33] + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + words) + plain[33:]
            else:
                before = picture(kind, xmp=words)
            assert embed(before, FACTS) is before

    def test_a_packet_beyond_the_limit_is_left_out(self, kind: str) -> None:
        quotes = dict.fromkeys(("prompt", "userPrompt", "revisedPrompt"), '"' * 4000)
        before = picture(kind)
        assert embed(before, quotes) is before

    def test_a_file_cut_anywhere_is_never_made_worse(self, kind: str) -> None:
        whole = embed(picture(kind), FACTS)
        for length in range(0, len(whole), 7):
            piece = whole[:length]
            after = embed(piece, {"prompt": "new"})
            assert after == piece or read(after).metadata == payload({"prompt": "new"})
            read(piece)

    def test_a_plain_picture_has_no_record(self, kind: str) -> None:
        assert read(picture(kind)) == Found(None, None)


def test_what_is_no_picture_comes_back_as_it_is() -> None:
    for data in (b"", b"not a picture", b"\0\0\0\x18ftypmp42" + bytes(40), b"GIF89a" + bytes(30)):
        assert embed(data, FACTS) is data
        assert read(data) == Found()


class TestPng:
    def test_only_one_chunk_is_added_and_its_checksum_is_right(self) -> None:
        before, after = png_chunks(picture("PNG")), png_chunks(embed(picture("PNG"), FACTS))
        added = [one for one in after if one not in before]
        assert [kind for kind, _ in added] == [b"iTXt"]
        assert [one for one in after if one in before] == before
        assert added[0][1].startswith(b"XML:com.adobe.xmp\0\0\0\0\0<?xpacket")

    def test_a_signed_picture_is_not_touched(self) -> None:
        plain = picture("PNG")
        signed = plain[:33] + png_chunk(b"caBX", b"\0\0\0\x10jumb....c2pa") + plain[33:]
        assert embed(signed, FACTS) is signed

    def test_an_old_text_chunk_with_a_packet_is_read_and_replaced(self) -> None:
        plain = picture("PNG")
        words = png_chunks(embed(plain, FACTS))[1][1].split(b"\0", 5)[-1]
        old = plain[:33] + png_chunk(b"tEXt", b"XML:com.adobe.xmp\0" + words) + plain[33:]
        assert read(old) == Found(payload(FACTS), "xmp")
        new = embed(old, FACTS | {"kind": "edit"})
        assert read(new).metadata == payload(FACTS | {"kind": "edit"})
        assert b"tEXt" not in new

    def test_a_compressed_packet_is_extended(self) -> None:
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", FOREIGN.decode(), zip=True)
        out = io.BytesIO()
        drawn().save(out, "PNG", pnginfo=info)
        after = embed(out.getvalue(), FACTS)
        assert b'dc:format="image/any"' in after
        assert read(after).metadata == payload(FACTS)

    @pytest.mark.parametrize("style", ["tEXt", "zTXt", "iTXt"])
    def test_a_record_in_a_comment_is_found(self, style: str) -> None:
        value = json.dumps(payload(FACTS)).replace("&", "&amp;").replace('"', "&quot;")
        info = PngImagePlugin.PngInfo()
        text = f'ima2:GenerationMetadata="{value}"'
        if style == "iTXt":
            info.add_itxt("Comment", text, zip=True)
        else:
            info.add_text("Comment", text, zip=style == "zTXt")
        out = io.BytesIO()
        drawn().save(out, "PNG", pnginfo=info)
        assert read(out.getvalue()) == Found(payload(FACTS), "png-comment")

    def test_a_text_that_unfolds_without_end_is_read_only_so_far(self) -> None:
        plain = picture("PNG")
        bomb = zlib.compress(b"x" * 60_000_000)
        assert read(plain[:33] + png_chunk(b"zTXt", b"Comment\0\0" + bomb) + plain[33:]) == Found()

    def test_bytes_behind_the_end_are_kept(self) -> None:
        assert embed(picture("PNG") + b"tail", FACTS).endswith(b"tail")


class TestJpeg:
    def test_the_segment_comes_behind_jfif_and_exif(self) -> None:
        after = embed(jpeg_with((0xE1, b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0")), FACTS)
        assert after.index(b"JFIF\0") < after.index(b"Exif\0\0") < after.index(b"http://ns.adobe.com/xap/1.0/\0")

    def test_a_signed_picture_is_not_touched(self) -> None:
        box = b"JP\0\1\0\0\0\1" + b"\0\0\0\x40jumb" + b"\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"
        signed = jpeg_with((0xEB, box))
        assert embed(signed, FACTS) is signed
        other = jpeg_with((0xEB, box.replace(b"c2pa", b"json")))
        assert read(embed(other, FACTS)).metadata == payload(FACTS)

    def test_several_pictures_in_one_file_are_not_touched(self) -> None:
        many = jpeg_with((0xE2, b"MPF\0MM\0*"))
        assert embed(many, FACTS) is many

    def test_a_packet_beyond_one_segment_is_left_out(self) -> None:
        wide = dict.fromkeys(("prompt", "userPrompt", "revisedPrompt"), "\U0001f98a" * 4000) | {"kind": "가" * 80}
        assert len(embed(picture("PNG"), wide)) > len(picture("PNG"))
        assert len(embed(picture("JPEG"), wide)) > len(picture("JPEG"))
        before = jpeg_with((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + FOREIGN + b" " * 55_000))
        assert embed(before, wide) is before


class TestWebp:
    @pytest.mark.parametrize(("kind", "flags"), [("WEBP", 0x04), ("WEBP lossless", 0x04), ("WEBP alpha", 0x14)])
    def test_a_simple_file_becomes_an_extended_one(self, kind: str, flags: int) -> None:
        before = webp_chunks(picture(kind))
        before = [one for one in before if one[0] in (b"VP8 ", b"VP8L")]
        after = webp_chunks(embed(webp(*before), FACTS))
        assert [name for name, _ in after] == [b"VP8X", before[0][0], b"XMP "]
        assert after[0][1] == bytes([flags, 0, 0, 0, 39, 0, 0, 29, 0, 0])
        assert after[1] == before[0]

    def test_an_extended_file_keeps_its_flags(self) -> None:
        plain = picture("WEBP", icc_profile=b"p" * 131)
        before, after = webp_chunks(plain), webp_chunks(embed(plain, FACTS))
        assert after[0][1][0] == before[0][1][0] | 0x04
        assert after[0][1][1:] == before[0][1][1:]
        assert after[1:-1] == before[1:]

    def test_an_animation_keeps_its_frames(self) -> None:
        out = io.BytesIO()
        drawn().save(out, "WEBP", save_all=True, append_images=[drawn().rotate(45)], duration=50)
        with Image.open(io.BytesIO(embed(out.getvalue(), FACTS))) as image:
            assert getattr(image, "n_frames", 1) == 2

    def test_a_signed_picture_is_not_touched(self) -> None:
        signed = webp(*webp_chunks(picture("WEBP")), (b"C2PA", b"jumb"))
        assert embed(signed, FACTS) is signed


@pytest.mark.alone
def test_embedding_costs_no_more_than_a_copy() -> None:
    """2 MB of pixels in 250 pieces: not decoded, not summed. 3 ms of processor time is the most it may take."""
    import os
    import time

    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0))
    body = b"".join(png_chunk(b"IDAT", os.urandom(8192)) for _ in range(250))
    data = b"\x89PNG\r\n\x1a\n" + header + body + png_chunk(b"IEND", b"")
    times = []
    for _ in range(9):
        started = time.thread_time()
        assert len(embed(data, FACTS)) > len(data)
        times.append(time.thread_time() - started)
    assert min(times) < 0.003
