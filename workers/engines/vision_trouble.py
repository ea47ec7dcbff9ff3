"""Why a vision model did not describe a photo: whose trouble that is, in a sentence that says what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx2
import openai
from instructor.core.exceptions import IncompleteOutputException, InstructorRetryException

from shared import vision_endpoint
from shared.contracts import storable
from shared.contracts.answers import Upstream
from shared.errors import (
    ConnectionDropped,
    Hold,
    ImageTooLarge,
    InvalidReply,
    NobodyThere,
    RequestRefused,
    Verdict,
    VisionBusy,
    VisionTimeout,
)

MOST_CHARACTERS = 300  # of what an endpoint says, inside our own sentence
LONGEST_WAIT = timedelta(days=1)  # whatever Retry-After says
OLLAMA_PORT = 11434


class Page(Exception):
    """A web page came instead of an answer."""


class ReplyTooLong(Exception):
    """An answer of megabytes."""


@dataclass(frozen=True)
class Endpoint:
    """The endpoint as sentences name it. `api_key` is here to be left out of them."""

    url: str
    model: str
    timeout_seconds: float
    api_key: str

    @property
    def host(self) -> str:
        return vision_endpoint.host_of(self.url)

    @property
    def shown(self) -> str:
        return vision_endpoint.shown(self.url)

    @property
    def key(self) -> str:
        """What waits behind a breaker waits for this endpoint and model."""
        return vision_endpoint.breaker_key(self.url, self.model)

    @property
    def is_ollama(self) -> bool:
        return f":{OLLAMA_PORT}/" in self.url

    def cleaned(self, said: str) -> str:
        """What it said, on one line, cut, and without the key should it repeat that."""
        text = said.replace(self.api_key, "…") if self.api_key else said
        return " ".join(storable(text).split())[:MOST_CHARACTERS]


def verdict_on(error: BaseException, endpoint: Endpoint) -> Verdict:
    """The verdict that an exception of the client libraries stands for, however deep they wrapped it."""
    causes = list(_chain(error))
    answered = next((cause for cause in causes if isinstance(cause, openai.APIStatusError)), None)
    if answered is not None:
        return _of_status(answered, endpoint)
    if any(isinstance(cause, openai.APIConnectionError) for cause in causes):
        return _of_connection(causes, endpoint)
    return _of_reply(causes, endpoint)


def refuses_json_mode(error: BaseException) -> bool:
    """Whether the endpoint takes no `response_format`: some, such as LM Studio, know no JSON mode."""
    return any(
        isinstance(cause, openai.BadRequestError) and "response_format" in _said(cause) for cause in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_status(error: openai.APIStatusError, endpoint: Endpoint) -> Verdict:
    status, said = error.status_code, endpoint.cleaned(_said(error))
    upstream = Upstream(status_code=status, message=said)
    says = f" It says: {said}" if said else ""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return ImageTooLarge(f"{endpoint.shown} takes no image of this size.{says}", upstream=upstream)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        sentence = f"{endpoint.host} takes no more requests for now.{says}"
        return Hold(sentence, key=endpoint.key, until=_until(error.response.headers), upstream=upstream)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        until = _until(error.response.headers)
        after = (until - datetime.now(UTC)).total_seconds() if until else None
        sentence = f"{endpoint.model} at {endpoint.shown} is in trouble ({status}).{says}"
        return VisionBusy(sentence, after_seconds=after, upstream=upstream)
    if (to_set := _what_to_set(status, said, endpoint)) is not None:
        return Hold(to_set, key=endpoint.key, upstream=upstream)
    sentence = f"{endpoint.model} at {endpoint.shown} refuses this photo ({status}).{says}"
    return RequestRefused(sentence, upstream=upstream)


def _what_to_set(status: int, said: str, endpoint: Endpoint) -> str | None:
    """The sentence for an endpoint that is set wrongly; None when this is not the settings' fault."""
    host, model, shown = endpoint.host, endpoint.model, endpoint.shown
    elsewhere = f"{shown} points elsewhere ({status}): set LLM_BASE_URL to where the model is, usually with /v1/."
    sentences = {
        401: f"{host} does not accept the key: set LLM_API_KEY to one that it knows, and start Keepers again.",
        402: f"{host} wants to be paid first. It says: {said}",
        403: f"{host} does not let this key use '{model}': set LLM_API_KEY or LLM_MODEL. It says: {said}",
        404: _not_found(said, endpoint),
        405: elsewhere,
    }
    return elsewhere if status < HTTPStatus.BAD_REQUEST else sentences.get(status)


def _not_found(said: str, endpoint: Endpoint) -> str:
    model, shown = endpoint.model, endpoint.shown
    if "model" not in said.lower() and model not in said:
        return f"There are no chat completions at {shown}: LLM_BASE_URL usually ends with /v1/."
    if endpoint.is_ollama:
        return f"The vision model '{model}' is not installed at {shown}: run `ollama pull {model}`"
    return f"The vision model '{model}' is not at {shown}: load it there, or set LLM_MODEL to one that is."


def _of_connection(causes: list[BaseException], endpoint: Endpoint) -> Verdict:
    why = endpoint.cleaned(str(causes[-1]))
    if any(isinstance(cause, Page) for cause in causes):
        sentence = f"{endpoint.shown} answers with a web page: LLM_BASE_URL usually ends with /v1/."
        return Hold(sentence, key=endpoint.key)
    if any(isinstance(cause, ReplyTooLong) for cause in causes):
        return InvalidReply(f"{endpoint.model} answered with megabytes.", upstream=Upstream(status_code=200))
    if any(isinstance(cause, _NOT_REACHED) for cause in causes):
        do = "start it with `ollama serve`" if endpoint.is_ollama else "start it, or set LLM_BASE_URL to where one is"
        return NobodyThere(f"No vision model answers at {endpoint.shown}: {do}. ({why})", key=endpoint.key)
    if any(isinstance(cause, openai.APITimeoutError) for cause in causes):
        sentence = f"{endpoint.model} at {endpoint.shown} gave no answer within {endpoint.timeout_seconds:g} s."
        return VisionTimeout(sentence, upstream=Upstream(message=why))
    return ConnectionDropped(f"The answer of {endpoint.shown} broke off.", upstream=Upstream(message=why))


_NOT_REACHED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol)


def _of_reply(causes: list[BaseException], endpoint: Endpoint) -> Verdict:
    if any(isinstance(cause, IncompleteOutputException) for cause in causes):
        sentence = f"{endpoint.model} talked until it was cut off and gave no description."
        return InvalidReply(sentence, upstream=Upstream(status_code=200, message="finish_reason: length"))
    asked = next((cause.n_attempts for cause in causes if isinstance(cause, InstructorRetryException)), 1)
    sentence = f"{endpoint.model} gave no description that can be used. It was asked {asked} times."
    return InvalidReply(sentence, upstream=Upstream(status_code=200, message=endpoint.cleaned(str(causes[0]))))


def _said(error: openai.APIStatusError) -> str:
    """The endpoint's own words: `error.message`, `error`, `message` or `detail` of its JSON, or what it sent."""
    body: Any = error.body  # Any: JSON, or text
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message") or inner.get("detail") if isinstance(inner, dict) else inner
    text = str(body or "")
    return "" if "<html" in text.lower() else text


def _until(headers: httpx2.Headers) -> datetime | None:
    """When to come back, from Retry-After as seconds or as a date; None when it does not say."""
    value, now = str(headers.get("retry-after", "")).strip(), datetime.now(UTC)
    try:
        wait = timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        try:
            named = parsedate_to_datetime(value)
        except ValueError:
            return None
        wait = (named if named.tzinfo else named.replace(tzinfo=UTC)) - now
    return now + min(max(wait, timedelta()), LONGEST_WAIT)
