"""Errors as Google's APIs answer them: a google.rpc.Status in JSON, with the HTTP status of its code.

Codes: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto; details:
error_details.proto.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.rpc import code_pb2

_HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_TYPE = "type.googleapis.com/google.rpc."

Violation = tuple[str, str]


class ApiError(Exception):
    """A request's failure: `code` is the canonical name, `details` are google.rpc messages in JSON form."""

    def __init__(self, code: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)

    @property
    def http(self) -> int:
        """The HTTP status."""
        return _HTTP[self.code]

    @property
    def number(self) -> int:
        """The code's number in google.rpc.Code."""
        return int(code_pb2.Code.Value(self.code))  # pylint: disable=no-member  # made at run time

    def body(self) -> dict[str, Any]:
        """The JSON that a client reads."""
        error: dict[str, Any] = {"code": self.http, "message": self.message, "status": self.code}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def invalid(message: str, violations: Sequence[Violation] = ()) -> ApiError:
    """400, with the violations as (field, description)."""
    listed = [{"field": field, "description": text} for field, text in violations]
    details = [{"@type": f"{_TYPE}BadRequest", "fieldViolations": listed}] if listed else []
    return ApiError("INVALID_ARGUMENT", message, details)


def violation(where: str, description: str) -> ApiError:
    """400 in the words of Cloud Run; `where` is a path that begins with the request message."""
    place = f"Violation in {where}"
    return invalid(f"{place}: {description}", [(place, description)])


def not_found(message: str) -> ApiError:
    """404."""
    return ApiError("NOT_FOUND", message)


def exists(message: str, resource: str) -> ApiError:
    """409 for a resource (its full name) that is there already."""
    detail = {"@type": f"{_TYPE}ResourceInfo", "resourceName": resource}
    return ApiError("ALREADY_EXISTS", message, [detail])


def aborted(message: str) -> ApiError:
    """409 for a request that lost against another one."""
    return ApiError("ABORTED", message)


def precondition(message: str) -> ApiError:
    """400 for a request that fits another state of the resource."""
    return ApiError("FAILED_PRECONDITION", message)


def denied(message: str, reason: str = "", metadata: Mapping[str, str] | None = None) -> ApiError:
    """403; `reason` and `metadata` make an ErrorInfo of domain googleapis.com."""
    details = [_info(reason, metadata or {})] if reason else []
    return ApiError("PERMISSION_DENIED", message, details)


def unauthenticated(message: str, reason: str, service: str) -> ApiError:
    """401."""
    return ApiError("UNAUTHENTICATED", message, [_info(reason, {"service": service})])


def exhausted(message: str, reason: str, metadata: Mapping[str, str]) -> ApiError:
    """429."""
    return ApiError("RESOURCE_EXHAUSTED", message, [_info(reason, metadata)])


def _info(reason: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@type": f"{_TYPE}ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": dict(metadata),
    }
