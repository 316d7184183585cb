"""How a job ends, or pauses, when its process goes away."""

from __future__ import annotations

from ima2.errors import Ima2Error
from ima2.models import Json

RESTARTED = "SERVER_RESTARTED"


def interrupted() -> Ima2Error:
    """The end of a job whose process went away."""
    return Ima2Error(
        RESTARTED,
        503,
        "The server stopped while this job ran. What it had saved is in the gallery; start it again for the rest.",
    )


def interruption(job_id: str) -> dict[str, Json]:
    """The ``error`` event of `interrupted`."""
    error = interrupted()
    return {"error": error.text, "code": error.code, "status": error.status, "requestId": job_id}


def suspended() -> Ima2Error:
    """What the client of a job hears whose process goes away, while the job itself goes on at the next start."""
    return Ima2Error(
        RESTARTED,
        503,
        "The server stopped while this job ran. The order stands: its result is collected when the server starts "
        "again, and is in the gallery then. Do not order it again.",
    )
