"""The CLI's failures, as clients know them. None of its own words are passed on: they may quote the prompt."""

from __future__ import annotations

import ima2

ADVICE = "the Antigravity CLI was not found. Install it, run `agy` once to sign in, or set IMA2_AGY_COMMAND."
"""What is missing and what to do, when there is no CLI."""
_STATUS = {"AGY_TIMEOUT": 504, "AGY_QUOTA_EXHAUSTED": 429}
_REFUSALS = ("AGY_REF_TOO_MANY", "AGY_MASK_UNSUPPORTED", "AGY_REF_UNSUPPORTED")


def failure(code: str, text: str) -> ima2.Ima2Error:
    """An error of this provider: 504 for a timeout, 429 for a used-up quota, 400 for a refusal, 502 for the rest."""
    return ima2.Ima2Error(code, 400 if code in _REFUSALS else _STATUS.get(code, 502), text)


def missing() -> ima2.Ima2Error:
    """The CLI is not there."""
    return failure("AGY_PROCESS_ERROR", f"agy process error: {ADVICE}")


def timed_out(seconds: float) -> ima2.Ima2Error:
    """The CLI was stopped for taking too long."""
    return failure(
        "AGY_TIMEOUT", f"agy generation timed out after {seconds:.0f} seconds. Try again, or a simpler prompt."
    )


def silent(exit_code: int) -> ima2.Ima2Error:
    """The CLI failed without a word."""
    return failure(
        "AGY_PROCESS_ERROR", f"agy exited with code {exit_code} and said nothing. Run `agy` by hand to see why."
    )


def quota() -> ima2.Ima2Error:
    """The subscription's allowance is used up."""
    return failure("AGY_QUOTA_EXHAUSTED", "The quota of the Antigravity CLI is used up. Wait until it is renewed.")


def reported() -> ima2.Ima2Error:
    """The CLI said that it failed."""
    return failure(
        "AGY_GENERATION_FAILED", "agy generation failed: the CLI reported an error. Rephrase the prompt or try again."
    )


def malformed() -> ima2.Ima2Error:
    """A result line that names no file."""
    return failure("AGY_MALFORMED_RESULT", "The Antigravity CLI's result line names no file. Try again.")


def unparsed() -> ima2.Ima2Error:
    """Nothing in the output points to a picture, and none was found."""
    text = "could not parse artifact path from agy: its output names no picture. Try again, or run `agy` by hand."
    return failure("AGY_PARSE_FAILED", text)


def rejected(why: str) -> ima2.Ima2Error:
    """The file named is one that must not be taken."""
    return failure("AGY_PATH_REJECTED", f"The file the Antigravity CLI named was not taken: {why}.")


def absent() -> ima2.Ima2Error:
    """The file named is not there or cannot be read."""
    return failure("AGY_ARTIFACT_NOT_FOUND", "agy artifact not found: the file it named is not there. Try again.")


def unusable(why: str) -> ima2.Ima2Error:
    """The file is there but is no picture to use."""
    return failure("AGY_GENERATION_FAILED", f"agy generation failed: the file it made {why}. Try again.")
