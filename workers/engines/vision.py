"""The vision model behind an OpenAI-compatible endpoint: one call per attempt, two more for replies of no use."""

import base64
import logging
import time
from collections import deque
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256

import httpx2
import instructor
import openai
from instructor.core.exceptions import InstructorError
from openai.types.chat import ChatCompletionMessageParam

from shared import vision_endpoint
from shared.errors import CorruptFile, Hold, NobodyThere, Retry, Verdict, VisionBusy
from shared.settings import Settings
from workers.domain.prompt import QUESTION, SYSTEM
from workers.domain.reply import PhotoMetadata
from workers.engines.vision_trouble import Endpoint, Page, ReplyTooLong, refuses_json_mode, verdict_on

REASKS = 2
CONNECT_SECONDS = 10
MOST_TOKENS = 4_000  # models that think first need room for that
MOST_REPLY_BYTES = 4_000_000
IN_A_ROW = 3  # so many times "not now" one after the other are the endpoint's trouble, not a photo's

_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"RIFF", "image/webp"))


class VisionModel:
    """Remembers for which photos it was "not now" lately. One per process, used by one thread."""

    def __init__(self, settings: Settings) -> None:
        url = vision_endpoint.address(settings)
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
        self.endpoint = Endpoint(url, settings.llm_model, settings.llm_timeout_seconds, key)
        self.has_answered = False
        self._not_now: deque[bytes] = deque(maxlen=IN_A_ROW)  # digests of the images, since the last other answer
        self._mode = instructor.Mode.JSON
        # They print what went wrong, which we say ourselves, once and without what may be in it.
        for library in ("instructor", "httpx2", "openai"):
            logging.getLogger(library).setLevel(logging.CRITICAL)

    def describe(self, image: bytes) -> PhotoMetadata:
        """Raises Hold when the endpoint is not there or not usable, Retry for passing trouble, Reject for a photo that
        it will not describe."""
        try:
            described = self._ask(image)
        except (openai.OpenAIError, InstructorError) as exc:
            if self._mode is instructor.Mode.JSON and refuses_json_mode(exc):
                self._mode = instructor.Mode.MD_JSON
                sentence = f"{self.endpoint.host} has no JSON mode: it is asked again without."
                raise Retry(sentence, after_seconds=0) from exc
            raise self._weighed(verdict_on(exc, self.endpoint), image) from exc
        self.has_answered = True
        self._not_now.clear()
        return described

    def close(self) -> None:
        """Close the connections to the endpoint. Safe to call when there are none."""
        if "_client" in self.__dict__:
            self._client.close()

    def _ask(self, image: bytes) -> PhotoMetadata:
        client = instructor.from_openai(self._client, mode=self._mode)
        # No temperature: some models take none but their own.
        return client.chat.completions.create(
            model=self.endpoint.model,
            response_model=PhotoMetadata,
            max_retries=REASKS,
            max_completion_tokens=MOST_TOKENS,
            messages=_messages(image),
        )

    def _weighed(self, verdict: Verdict, image: bytes) -> Verdict:
        """The verdict itself, or a hold once the endpoint said "not now" too often in a row.

        A photo that alone times out or breaks the line is its own trouble: it must not keep the others waiting.
        """
        self.has_answered |= not isinstance(verdict, NobodyThere)
        if not isinstance(verdict, Retry):
            self._not_now.clear()
            return verdict
        self._not_now.append(sha256(image).digest())
        is_everybodys = isinstance(verdict, VisionBusy) or len(set(self._not_now)) > 1
        if len(self._not_now) < IN_A_ROW or not is_everybodys:
            return verdict
        return Hold(f"{verdict.message} That was {IN_A_ROW} times in a row.", key=self.endpoint.key)

    @cached_property
    def _client(self) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=self.endpoint.url,
            api_key=self.endpoint.api_key or "none",
            max_retries=0,  # its own would turn one 429 into three
            http_client=httpx2.Client(
                timeout=httpx2.Timeout(self.endpoint.timeout_seconds, connect=CONNECT_SECONDS),
                follow_redirects=False,  # the yes was for this host
                trust_env=vision_endpoint.is_remote(self.endpoint.host),  # no proxy on the way to this machine
                event_hooks={"request": [self._start_clock], "response": [self._bound]},
            ),
        )

    def _start_clock(self, request: httpx2.Request) -> None:
        request.extensions["ends_at"] = time.monotonic() + self.endpoint.timeout_seconds

    def _bound(self, response: httpx2.Response) -> None:
        if response.is_success and "text/html" in response.headers.get("content-type", ""):
            raise Page
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, response.request)


class _Bounded(httpx2.SyncByteStream):
    """An answer that ends in time, and in memory: httpx's own time-out starts again with every byte."""

    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for part in self._stream:
            seen += len(part)
            if time.monotonic() > self._request.extensions["ends_at"]:
                raise httpx2.ReadTimeout("the answer took too long", request=self._request)
            if seen > MOST_REPLY_BYTES:
                raise ReplyTooLong
            yield part

    def close(self) -> None:
        self._stream.close()


def _messages(image: bytes) -> list[ChatCompletionMessageParam]:
    mime = next((mime for magic, mime in _MAGIC if image.startswith(magic)), None)
    if mime is None:
        raise CorruptFile("The preview shows no picture.")
    url = f"data:{mime};base64,{base64.b64encode(image).decode()}"
    return [
        {"role": "system", "content": SYSTEM},
        {
            "role": "user",
            "content": [{"type": "text", "text": QUESTION}, {"type": "image_url", "image_url": {"url": url}}],
        },
    ]
