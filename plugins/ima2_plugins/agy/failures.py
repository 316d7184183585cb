"""The CLI's failures, as clients know them. None of its own words are passed on: they may quote the prompt."""

from __future__ import annotations

from dataclasses import dataclass

import ima2

ADVICE = "the Antigravity CLI was not found. Install it, run `agy` once to sign in, or set IMA2_AGY_COMMAND."
"""What is missing and what to do, when there is no CLI."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means: its HTTP status, whether the CLI had begun (a run may count against the allowance), and
    whether the same request may do better."""

    status: int
    text: str
    ran: bool = True
    again: bool = False


MEANINGS = {
    "AGY_REF_TOO_MANY": Meaning(400, "more pictures than it takes", ran=False),
    "AGY_REF_UNSUPPORTED": Meaning(400, "a picture that it cannot read", ran=False),
    "AGY_MASK_UNSUPPORTED": Meaning(400, "it takes no mask", ran=False),
    "AGY_PROCESS_ERROR": Meaning(502, "it is not there, does not run, or ended without a word"),
    "AGY_TIMEOUT": Meaning(504, "it took too long and was stopped"),
    "AGY_QUOTA_EXHAUSTED": Meaning(429, "the allowance is used up", again=True),
    "AGY_GENERATION_FAILED": Meaning(502, "it said that it failed, or made something that is no picture"),
    "AGY_MALFORMED_RESULT": Meaning(502, "its result line names no file"),
    "AGY_PARSE_FAILED": Meaning(502, "nothing it printed or left behind is a picture"),
    "AGY_PATH_REJECTED": Meaning(502, "the file it named is one that must not be taken"),
    "AGY_ARTIFACT_NOT_FOUND": Meaning(502, "the file it named is not there"),
}
"""By code."""


def failure(code: str, text: str) -> ima2.Ima2Error:
    """An error of this provider, with the status of its `MEANINGS`."""
    return ima2.Ima2Error(code, MEANINGS[code].status, text)


def no_program_error() -> ima2.Ima2Error:
    """The CLI is not there."""
    return failure("AGY_PROCESS_ERROR", f"agy process error: {ADVICE}")


def start_error() -> ima2.Ima2Error:
    """The CLI is there and does not say its version: nothing was asked of it."""
    text = "agy process error: the Antigravity CLI is there but does not run. Run `agy --version` by hand to see why."
    return failure("AGY_PROCESS_ERROR", text)


def timeout_error(seconds: float) -> ima2.Ima2Error:
    """The CLI was stopped for taking too long."""
    text = f"agy generation timed out after {seconds:.0f} seconds, and may count against the allowance all the same."
    return failure("AGY_TIMEOUT", f"{text} A simpler prompt is faster.")


def silence_error(exit_code: int) -> ima2.Ima2Error:
    """The CLI failed without a word."""
    return failure(
        "AGY_PROCESS_ERROR", f"agy exited with code {exit_code} and said nothing. Run `agy` by hand to see why."
    )


def quota_error() -> ima2.Ima2Error:
    """The subscription's allowance is used up."""
    return failure("AGY_QUOTA_EXHAUSTED", "The quota of the Antigravity CLI is used up. Wait until it is renewed.")


def report_error() -> ima2.Ima2Error:
    """The CLI said that it failed."""
    return failure("AGY_GENERATION_FAILED", "agy generation failed: the CLI reported an error. Rephrase the prompt.")


def result_line_error() -> ima2.Ima2Error:
    """A result line that names no file."""
    return failure("AGY_MALFORMED_RESULT", "The Antigravity CLI's result line names no file.")


def parse_error() -> ima2.Ima2Error:
    """Nothing in the output points to a picture, and none was found."""
    text = "could not parse artifact path from agy: its output names no picture. Run `agy` by hand to see what it says."
    return failure("AGY_PARSE_FAILED", text)


def path_error(why: str) -> ima2.Ima2Error:
    """The file named is one that must not be taken."""
    return failure("AGY_PATH_REJECTED", f"The file the Antigravity CLI named was not taken: {why}.")


def no_artifact_error() -> ima2.Ima2Error:
    """The file named is not there or cannot be read."""
    return failure("AGY_ARTIFACT_NOT_FOUND", "agy artifact not found: the file it named is not there.")


def interruption_error() -> ima2.Ima2Error:
    """The CLI ended with the server that ran it, before its picture was there."""
    text = (
        "The Antigravity CLI ended with the server that ran it and left no picture. It may count against the allowance."
    )
    return failure("AGY_ARTIFACT_NOT_FOUND", text)


def picture_error(why: str) -> ima2.Ima2Error:
    """The file is there but is no picture to use."""
    return failure("AGY_GENERATION_FAILED", f"agy generation failed: the file it made {why}.")
