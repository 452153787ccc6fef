"""Errors over HTTP: one shape for all, naming the field, never repeating what was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.serving.messages import ErrorAnswer, ErrorDetail, Problem

PROBLEMS_LIMIT = 20
"""Most problems listed in one answer."""
_FIELD_LIMIT = 100
"""Most characters of a field's name: that of an unknown field is the client's own."""

_CODES = {400: "invalid_json", 404: "not_found", 405: "method_not_allowed"}


class ApiProblem(Exception):
    """An error with an HTTP status, a code for programs and a message for people."""

    def __init__(self, status: int, code: str, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.problems = status, code, message, list(problems)


def problem_response(
    scope: Scope, problem: ApiProblem, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer for an error in the request that ``scope`` belongs to."""
    detail = ErrorDetail(
        code=problem.code,
        message=problem.message,
        request_id=scope.get("state", {}).get("request_id", ""),
        problems=problem.problems,
    )
    return JSONResponse(
        ErrorAnswer(error=detail).model_dump(), status_code=problem.status, headers=dict(headers or {})
    )


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` in the one shape."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        headers = error.headers if isinstance(error, HTTPException) else None
        return problem_response(request.scope, _problem(error), headers)

    for kind in (ApiProblem, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def _problem(error: Exception) -> ApiProblem:
    match error:
        case ApiProblem():
            return error
        case RequestValidationError():
            return _from_validation(error.errors())
        case HTTPException():
            # The only 400 there is: a body that Python's JSON reader gives up on, such as 100,000 brackets.
            code = _CODES.get(error.status_code, "http_error")
            return ApiProblem(error.status_code, code, str(error.detail))
        case _:
            message = "The service failed on this request; its log has the details under the request id."
            return ApiProblem(500, "internal_error", message)


def _from_validation(errors: Sequence[Mapping[str, Any]]) -> ApiProblem:
    if errors and errors[0]["type"] == "json_invalid":
        return ApiProblem(400, "invalid_json", "The body is not JSON.")
    problems = [
        Problem(field=_field(error["loc"]), problem=error["msg"]) for error in errors[:PROBLEMS_LIMIT]
    ]
    more = len(errors) - len(problems)
    message = f"{len(errors)} problem{'s' if len(errors) != 1 else ''} with the body" + (
        f", the first {len(problems)} are listed." if more else "."
    )
    return ApiProblem(422, "invalid_request", message, problems)


def _field(location: Sequence[Any]) -> str:
    # The first parts say "body" and which form of the body was taken; the client knows both.
    parts = [str(part) for part in location if part not in {"body", "single", "batch"}]
    return ".".join(parts)[:_FIELD_LIMIT] or "body"
