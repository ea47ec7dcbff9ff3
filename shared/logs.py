"""Structured logs of a whole process: one line per event with its fields, and the ids that are bound meanwhile.

What libraries say through `logging`, warnings and the last words of a crash have the same form.
"""

import json
import logging
import sys
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, BinaryIO, Literal, TextIO, cast

import structlog
from pydantic_core import to_json

_SILENT = ("aiormq", "aio_pika", "pika")  # we catch what they raise and say it once, in our words


def configure(log_format: Literal["text", "json"], service: str) -> None:
    """Log to standard error, for people or as JSON. Called once, by `__main__`."""
    fields: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # an exception is a field, not lines between the lines
    ]
    for_people = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    as_json = structlog.processors.JSONRenderer(serializer=_json)
    structlog.configure(
        processors=[*fields, as_json if log_format == "json" else for_people],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=(
            structlog.BytesLoggerFactory(cast(BinaryIO, _Lossy(sys.stderr.buffer)))
            if log_format == "json"
            else structlog.PrintLoggerFactory(cast(TextIO, _Lossy(sys.stderr)))
        ),
        cache_logger_on_first_use=True,  # a line per message: binding anew costs as much as writing it
    )
    _take_in_libraries(fields, structlog.processors.JSONRenderer() if log_format == "json" else for_people)
    sys.excepthook = _last_words
    structlog.contextvars.bind_contextvars(service=service)


class _Lossy:
    """A stream whose lines get lost when its disk is full or nobody reads it: the work that they tell of goes on."""

    def __init__(self, stream: IO[Any]) -> None:  # Any: text or bytes
        self._stream = stream

    def write(self, line: Any) -> None:  # Any: text or bytes
        with suppress(OSError):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _json(fields: object, **_: object) -> bytes:
    """Several times as fast as `json`, which takes what this does not: names of files that are no UTF-8."""
    try:
        return to_json(fields, fallback=str)
    except ValueError:
        return json.dumps(fields, default=str).encode()


def _take_in_libraries(fields: list[structlog.typing.Processor], renderer: structlog.typing.Processor) -> None:
    """From warnings on; of the web server, when it starts and stops as well."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *fields],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    logging.captureWarnings(True)
    for library in _SILENT:
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger().critical("process.crashed", exc_info=(kind, error, trace))
