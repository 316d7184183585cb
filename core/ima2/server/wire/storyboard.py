"""Keyframes for a clip: words put before the prompt when a storyboard is asked for."""

from __future__ import annotations

_KEYFRAMES = """\
Draw this scene as one storyboard sheet for a short clip: a regular grid of three rows and three columns, read from
left to right and top to bottom. Leave the first panel entirely black. Let the other panels show successive moments of
the same scene, each a little later than the one before. Keep the characters, their clothes, the place and the light the
same in every panel. Write no captions, numbers or frames of text. Leave space around whatever moves, so that the
moments
can be joined by motion.

The scene: """


def storyboard_prompt(prompt: str) -> str:
    """The prompt of a keyframe sheet for ``prompt``."""
    return _KEYFRAMES + prompt
