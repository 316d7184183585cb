"""The shelf of previews."""

from __future__ import annotations

import ima2
from ima2_plugins.sse.previews import PATH, Previews


def picture(size: int) -> ima2.Picture:
    return ima2.Picture(b"x" * size, "image/png")


def kept(previews: Previews, address: str | None) -> ima2.Picture | None:
    assert address is not None
    return previews.get(address.removeprefix(PATH))


def test_a_preview_is_found_under_its_address() -> None:
    previews = Previews(100, 0)
    one = picture(10)
    assert kept(previews, previews.keep("a", one)) is one
    assert previews.get("guess") is None


def test_the_oldest_make_room() -> None:
    previews = Previews(100, 0)
    addresses = [previews.keep("a", picture(40)) for _ in range(3)]
    assert [kept(previews, address) is not None for address in addresses] == [False, True, True]
    assert previews.size == 80


def test_a_picture_larger_than_all_room_is_not_kept() -> None:
    previews = Previews(100, 0)
    first = previews.keep("a", picture(60))
    assert previews.keep("a", picture(101)) is None
    assert kept(previews, first) is not None


def test_a_jobs_previews_stay_a_little_after_its_end() -> None:
    patient, prompt = Previews(100, 60), Previews(100, 0)
    for previews in (patient, prompt):
        ended, running = previews.keep("a", picture(10)), previews.keep("b", picture(10))
        previews.end("a")
        previews.purge()
        assert (kept(previews, ended) is not None) is (previews is patient)
        assert kept(previews, running) is not None
    assert (patient.size, prompt.size) == (20, 10)
