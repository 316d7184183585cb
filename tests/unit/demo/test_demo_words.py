import pytest
from PIL import ImageFont

from ima2_plugins.demo.lettering import font_for, wrapped
from ima2_plugins.demo.words import wishes


@pytest.mark.parametrize(
    ("prompt", "scene", "hour"),
    [
        ("a quiet sea at dawn", "sea", 0.0),
        ("Neon city, at night!", "city", 1.0),
        ("a fox in the snowy forest", "forest", None),
        ("mountain lake", "mountain", None),
        ("planets in deep space", "space", None),
        ("해질녘이 아닌 밤의 바다", "sea", 1.0),
        ("chair", None, None),
    ],
)
def test_a_few_words_choose_scene_and_hour(prompt: str, scene: str | None, hour: float | None) -> None:
    found = wishes(prompt)
    assert (found.scene, found.hour) == (scene, hour)


def test_creatures_and_colours_are_found_in_their_order() -> None:
    found = wishes("two rabbits and a blue cat")
    assert found.creatures == ("rabbit", "cat")
    assert found.tints == ("#2f62c9",)


def test_parts_of_words_are_not_words() -> None:
    assert wishes("a category of season tickets, infrared").creatures == ()
    assert wishes("a category of season tickets, infrared").scene is None


def test_orders_are_taken_out_of_the_caption() -> None:
    found = wishes("a cat  demo:fail=refuse on a\nhill demo:delay=500")
    assert (found.text, found.fail, found.delay_ms) == ("a cat on a hill", "refuse", 500)
    assert wishes("a cat").delay_ms is None


def test_a_caption_takes_two_lines_at_most_and_says_when_it_is_cut() -> None:
    font = ImageFont.load_default(20)
    assert wrapped("short", font, 300) == ["short"]
    lines = wrapped("word " * 60, font, 300)
    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert all(font.getlength(line) <= 300 for line in lines)
    assert wrapped("w" * 200, font, 300)[0] in "w" * 200


def test_a_font_is_only_used_when_it_has_every_letter() -> None:
    assert font_for("plain words", 20) is not None
    assert font_for("\U00013000\U0001f9ff", 20) is None
