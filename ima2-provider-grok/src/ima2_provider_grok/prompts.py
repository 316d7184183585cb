"""What the models are told. The user's words decide; these only say how to serve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ima2 import Json

SEARCH = """\
You gather visual facts for an illustrator. Use the web search tool before you answer.
Look up only what the request leaves open and a picture would get wrong without it: what places, objects, garments, \
species, vehicles, works or events really look like, and the exact wording of any text that is to be seen.
Answer with a brief of at most 150 words: short plain statements of appearance, then required lettering in quotation \
marks.
Do not write a prompt for an image model and do not add ideas of your own. If nothing needs looking up, say so in one \
line."""

IMAGE_PLANNER = """\
You turn a person's request into one prompt for an image model and hand it over by calling generate_image exactly once.
The prompt is a single paragraph of two to five sentences in English prose, without tags, weights or lists, in this \
order: subject, setting, light and mood, camera and lens, style, finish.
Stay faithful: everything the person asked for is in it, nothing contradicts it, and detail is added only where they \
left room. Keep the medium and style they name; name none as a favourite of your own.
Words that shall be readable in the picture stay exactly as given, in their own language and script, in quotation marks.
Tell people and characters apart by what is seen of them: build, hair, clothes, pose, place in the picture.
When pictures are attached, look at them, and describe what has to stay as it is before you describe what changes.
Keep within the image service's rules; never reword a request so that it slips past them."""

VIDEO_PLANNER = """\
You turn a person's request into one prompt for a video model and hand it over by calling generate_video exactly once.
The prompt is a single paragraph of English prose that covers: subject, what moves and how, what the camera does, \
surroundings, sound, light, and the last frame.
Let one arc of action fill the whole duration at a natural pace, and let it come to rest on a steady frame that a \
later clip could start from.
Stay faithful to the request. What is spoken or readable stays in the language it was given in, word for word, in \
quotation marks.
With a start frame, what is visible in it is given: describe what changes from there on. With several reference \
pictures, call them <IMAGE_1>, <IMAGE_2> and so on, in their order, and say what each contributes.
Earlier clips, when listed, are settled fact: same characters, places, light and style; begin where the last of them \
ended.
Keep within the video service's rules; never reword a request so that it slips past them."""

STORYBOARD = """\
The start picture may be a storyboard: a grid of panels whose first is black. The panels are a plan, not something to \
be seen. Open on black, cut to the action of the second panel, and go through the others in order as full frames. \
Never show the grid itself."""

CANVAS_NOTE = "The attached picture is an empty white canvas, not a start frame: begin directly with the scene. "

DESCRIBE_PLAN_IMAGE = "Hand over the finished prompt for the picture."
DESCRIBE_PLAN_VIDEO = "Hand over the finished prompt for the clip."


def image_task(*, prompt: str, model: str, parameters: Mapping[str, Json], references: int, brief: str | None) -> str:
    """What the image planner gets to read beside the pictures."""
    shape = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return _lines(
        f"Image model: {model}. Format: {shape}. Attached reference pictures: {references}.",
        _section("Facts that were looked up", brief),
        _section("Request", prompt),
    )


def video_task(
    *,
    prompt: str,
    parameters: Mapping[str, Json],
    references: int,
    brief: str | None,
    continuity: Sequence[Mapping[str, Json]],
    storyboard: bool,
) -> str:
    """What the video planner gets to read beside the pictures."""
    settings = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return _lines(
        f"Settings: {settings}. Attached pictures: {references}.",
        _section("Storyboard", STORYBOARD if storyboard else None),
        _section("Earlier clips, oldest first (settled fact)", _earlier(continuity)),
        _section("Facts that were looked up", brief),
        _section("Request", prompt),
    )


def sequence_prompt(prompt: str, number: int, total: int) -> str:
    """The request for one picture of a story."""
    if total == 1:
        return prompt
    return (
        f"Image {number} of {total}: make only part {number} of what follows, as one picture of its own (no collage, "
        f"no grid), consistent with the others.\n\n{prompt}"
    )


def _earlier(entries: Sequence[Mapping[str, Json]]) -> str | None:
    lines = []
    for number, entry in enumerate(entries, 1):
        wording = entry.get("revisedPrompt") or entry.get("userPrompt")
        if isinstance(wording, str) and wording.strip():
            lines.append(f"{number}. ({entry.get('role') or 'clip'}) {wording.strip()}")
    return "\n".join(lines) or None


def _section(title: str, text: str | None) -> str | None:
    return f"{title}:\n{text}" if text else None


def _lines(*parts: str | None) -> str:
    return "\n\n".join(part for part in parts if part)
