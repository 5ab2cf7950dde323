"""Which error responses does an operation have?

One body for all of them: google.rpc.Status. The edge's own errors have the same form.
"""

from typing import NamedTuple

from tools.openapi.schemas import Json

STATUS_REF = {"$ref": "#/components/schemas/google.rpc.Status"}
DOMAIN = "mediagen.dev"


class ErrorResponse(NamedTuple):
    """One HTTP status: what it means, and an example."""

    description: str
    code: int
    reason: str
    message: str


ERRORS = {
    "400": ErrorResponse(
        "The request breaks a rule (`INVALID_ARGUMENT`, `OUT_OF_RANGE`); a "
        "`google.rpc.BadRequest` among the details lists every violation at once.",
        3,
        "ERROR_REASON_INVALID_REQUEST",
        "model: must be owner/name",
    ),
    "403": ErrorResponse(
        "The call came from a page of an origin that is not among the allowed ones.",
        7,
        "ORIGIN_NOT_ALLOWED",
        "Pages of this origin may not change anything here; see ALLOWED_ORIGINS.",
    ),
    "404": ErrorResponse(
        "There is no such job, artifact or dead letter (`NOT_FOUND`).",
        5,
        "ERROR_REASON_JOB_NOT_FOUND",
        "There is no job with this id.",
    ),
    "409": ErrorResponse(
        "The request_id was used for another request (`ALREADY_EXISTS`).",
        6,
        "ERROR_REASON_REQUEST_ID_REUSED",
        "This request_id was used for another request.",
    ),
    "413": ErrorResponse(
        "The body is larger than 2 MiB.", 3, "BODY_TOO_LARGE", "The body is larger than 2 MiB."
    ),
    "429": ErrorResponse(
        "Too much was asked for at once (`RESOURCE_EXHAUSTED`); a `google.rpc.RetryInfo` says "
        "when to try again.",
        8,
        "ERROR_REASON_TOO_MANY_REQUESTS",
        "Too many requests; try again later.",
    ),
    "503": ErrorResponse(
        "A part of the service cannot answer (`UNAVAILABLE`). Nothing was changed; try again.",
        14,
        "ERROR_REASON_UNAVAILABLE",
        "The store does not answer; try again.",
    ),
    "504": ErrorResponse(
        "The answer took too long (`DEADLINE_EXCEEDED`). A submit may have happened: repeat it "
        "with its request_id.",
        4,
        "GATEWAY_TIMEOUT",
        "The gateway did not answer in time.",
    ),
}


def components() -> dict[str, Json]:
    """Every error response once, by its status."""
    return {f"Error{status}": _response(error) for status, error in ERRORS.items()}


def responses(method: str, path: str) -> dict[str, Json]:
    """References to those that an operation can have."""
    statuses = {"400", "429", "503", "504"}
    if "{" in path:
        statuses.add("404")
    if method == "post":
        statuses |= {"403", "413"}
    if path.endswith("/generate"):
        statuses.add("409")
    found = {s: {"$ref": f"#/components/responses/Error{s}"} for s in sorted(statuses)}
    any_other = {
        "description": "Any other error.",
        "content": {"application/json": {"schema": STATUS_REF}},
    }
    return {**found, "default": any_other}


def _response(error: ErrorResponse) -> Json:
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.reason,
        "domain": DOMAIN if error.reason.startswith("ERROR_REASON_") else f"edge.{DOMAIN}",
        "metadata": {},
    }
    example = {"code": error.code, "message": error.message, "details": [info]}
    return {
        "description": error.description,
        "content": {"application/json": {"schema": STATUS_REF, "example": example}},
    }
