"""How a job ends, or pauses, when its process goes away."""

from __future__ import annotations

from ima2.aliases import camel_keys
from ima2.errors import Ima2Error
from ima2.jobs.record import JobRecord
from ima2.models import Json

RESTARTED = "SERVER_RESTARTED"
OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
SHUTTING_DOWN = "SHUTTING_DOWN"


def interrupted() -> Ima2Error:
    """The end of a job whose process went away before anything was ordered."""
    return Ima2Error(
        RESTARTED,
        503,
        "The server stopped while this job ran. What it had saved is in the gallery; start it again for the rest.",
    )


def outcome_unknown() -> Ima2Error:
    """The end of a job that was ordered, and whose process went away before it heard what came of that."""
    return Ima2Error(
        OUTCOME_UNKNOWN,
        500,
        "The server stopped after this job was ordered, so nobody can say what came of it: it may have been carried "
        "out, and may have been billed. What had been saved is in the gallery; your account at the provider shows "
        "the rest.",
    )


def suspended() -> Ima2Error:
    """What the client of a job hears whose process goes away, while the job itself goes on at the next start."""
    return Ima2Error(
        RESTARTED,
        503,
        "The server stopped while this job ran. The order stands: its result is collected when the server starts "
        "again, and is in the gallery then. Do not order it again.",
    )


def closing() -> Ima2Error:
    """The refusal of a job that comes when the process is already going away."""
    return Ima2Error(SHUTTING_DOWN, 503, "The server is shutting down and takes no more jobs.", retry_after=5)


def not_found() -> Ima2Error:
    """There is no such job, or it ended too long ago."""
    return Ima2Error("JOB_NOT_FOUND", 404, "No job of this id is known here.")


def failure(record: JobRecord, error: Ima2Error) -> dict[str, Json]:
    """The data of an ``error`` event, for a job of which nothing better is known."""
    facts = {"error": error.text, "code": error.code, "status": error.status, "request_id": record.id}
    return camel_keys(facts)
