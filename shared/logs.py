"""Structured logs of a whole process: one line per event with its fields, and the ids that are bound meanwhile.

What libraries say through `logging`, warnings and the last words of a crash have the same form.
"""

import logging
import sys
from types import TracebackType
from typing import Literal

import structlog

_SILENT = ("aiormq", "aio_pika", "pika")  # we catch what they raise and say it once, in our words


def configure(log_format: Literal["text", "json"], service: str) -> None:
    """Log to standard error, for people or as JSON. Called once, by `__main__`."""
    fields: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # an exception is a field, not lines between the lines
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*fields, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,  # a line per message: binding anew costs more than writing it
    )
    _take_in_libraries(fields, renderer)
    sys.excepthook = _last_words
    structlog.contextvars.bind_contextvars(service=service)


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
