"""Errors as answers: `{"error": {"type", "message"}}` under /api, a page with the same sentence elsewhere."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from orchestrator.rendering import render
from orchestrator.security import HEADERS
from shared.errors import Hold, KeepersError


class ErrorDetail(BaseModel):
    type: str
    message: str


class ErrorBody(BaseModel):
    error: ErrorDetail


# `responses=` of a router: it also keeps FastAPI from documenting its own form of validation errors.
ERRORS: dict[int | str, dict[str, Any]] = {  # Any: FastAPI's own type
    "default": {"model": ErrorBody, "description": "What went wrong, in one sentence"}
}

_NOT_A_CHARACTER = "22021"  # PostgreSQL's answer to NUL in a text

_HALF_A_CHARACTER = "surrogates not allowed"  # what Python says of a text like "\\ud800", which JSON lets pass

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not do that.",
    500: "Something went wrong in Keepers. The log has the details.",
}


class Refused(KeepersError):
    """Keepers cannot do that."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_


def error(request: Request, status: int, type_: str, message: str) -> Response:
    """The answer that says what went wrong, in the form that this address answers in."""
    message = message.encode("utf-8", "replace").decode()  # it may repeat half a character that somebody sent
    if request.url.path.startswith("/api/"):
        body = ErrorBody(error=ErrorDetail(type=type_, message=message))
        return JSONResponse(body.model_dump(), status)
    return render(request, "error.html", ErrorPage(status=status, message=message), status=status)


class ErrorPage(BaseModel):
    title: str = "Not possible"
    status: int
    message: str


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Hold, _away)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for lost in (OperationalError, InterfaceError, ConnectionError):
        app.add_exception_handler(lost, _no_database)
    app.add_exception_handler(DBAPIError, _unstorable)
    app.add_exception_handler(UnicodeEncodeError, _no_text)
    app.add_exception_handler(Exception, _bug)


async def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Refused)
    return error(request, exc.status, exc.type, exc.message)


async def _away(request: Request, exc: Exception) -> Response:
    """Something outside is down that this answer needs: the place of previews."""
    assert isinstance(exc, Hold)
    answer = error(request, 503, f"{exc.key}_unavailable", exc.message)
    answer.headers["retry-after"] = "5"
    return answer


async def _http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    phrase = HTTPStatus(exc.status_code).phrase
    is_default = exc.detail == phrase
    message = _SENTENCES.get(exc.status_code, f"{phrase}.") if is_default else str(exc.detail)
    answer = error(request, exc.status_code, phrase.lower().replace(" ", "_"), message)
    answer.headers.update(exc.headers or {})
    return answer


async def _invalid(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    return error(request, 422, "invalid", _sentence(exc.errors()))


def _sentence(errors: Sequence[Any]) -> str:  # Any: pydantic's error
    """ "limit: input should be less than or equal to 500." from what pydantic says."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return "The body of this request is not JSON."
    where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no such field."
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:].rstrip('.')}."


async def _no_database(request: Request, exc: Exception) -> Response:
    answer = error(request, 503, "database_unavailable", "The database does not answer. Keepers keeps trying.")
    answer.headers["retry-after"] = "5"
    return answer


async def _unstorable(request: Request, exc: Exception) -> Response:
    original = getattr(exc, "orig", None)
    if getattr(original, "sqlstate", None) != _NOT_A_CHARACTER and _HALF_A_CHARACTER not in str(original):
        raise exc
    return await _no_text(request, exc)


async def _no_text(request: Request, exc: Exception) -> Response:
    return error(request, 422, "invalid", "There is a character in this request that no text can hold.")


async def _bug(request: Request, exc: Exception) -> Response:
    answer = error(request, 500, "internal", _SENTENCES[500])
    answer.headers.update(HEADERS)  # it is answered outside of the gate, which adds them to all others
    return answer
