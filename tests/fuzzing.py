"""Requests that nobody means well with, made from the API's own description; the same ones at every run."""

import contextlib
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis import GenerationMode

# Hypothesis mixes in constants of the modules that happen to be loaded: other tests before would mean other requests.
providers._get_local_constants = Constants

ADDRESS = "http://localhost:8000"
NOT_ASKED = {
    "/api/events": "an answer without an end",
    "/readyz": "503 is what it says without a broker",
}
# As they stand in an address; what is no text at all among them.
HOSTILE_TEXTS = ["-1", str(2**63 + 1), "NaN", "%00", "%ED%A0%80", "x" * 9000]
LONGEST_URL = 60_000  # httpx sends none that is longer
HARMLESS = 1
HOSTILE_VALUES = [2**63 + 1, 10**400, float("nan"), "\x00", "\ud800", {"a": []}]


@dataclass
class Call:
    method: str
    url: str
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.url[:200]} {(self.content or b'')[:200]!r}"


def calls(app: FastAPI, examples: int, seed_: int = 1) -> Iterator[Call]:
    """`examples` that the description allows and as many that it forbids, for each operation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library, about descriptions that could say more
        schema = schemathesis.openapi.from_dict(app.openapi())
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path in NOT_ASKED:
                continue
            good = _cases(operation, GenerationMode.POSITIVE, examples, seed_)
            bad = _cases(operation, GenerationMode.NEGATIVE, examples, seed_) if _takes_anything(operation) else []
            yield from (call for call in map(_call, [*good, *bad]) if len(call.url) < LONGEST_URL)


def _takes_anything(operation: Any) -> bool:  # Any: of schemathesis, like the cases below
    parameters = operation.definition.raw.get("parameters", [])
    return "requestBody" in operation.definition.raw or any(_is_narrow(one["schema"]) for one in parameters)


def _is_narrow(schema: dict[str, Any]) -> bool:
    """Any text is a text: there is nothing bad to try."""
    return schema != {"type": "string"} and set(schema) - {"title", "type"} != set()


def _cases(operation: Any, mode: GenerationMode, examples: int, seed_: int) -> list[Any]:
    cases: list[Any] = []

    @seed(seed_)
    @settings(
        max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        cases.append(case)

    with contextlib.suppress(Unsatisfiable):  # everything is allowed
        collect()
    return cases


def _call(case: Any) -> Call:
    prepared = requests.Request(**case.as_transport_kwargs(base_url=ADDRESS)).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    headers = {name: value for name, value in prepared.headers.items() if name.lower() == "content-type"}
    return Call(str(prepared.method), str(prepared.url), body, headers)


def hostile_calls(app: FastAPI) -> Iterator[Call]:
    """Each operation with each of its parameters and fields as no person would fill it in."""
    description = app.openapi()
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            if path in NOT_ASKED:
                continue
            address = re.sub(r"\{\w+\}", "1", path)
            for text in HOSTILE_TEXTS:
                if address != path:
                    yield Call(method, ADDRESS + re.sub(r"\{\w+\}", text, path))
                for one in operation.get("parameters", []):
                    if one["in"] == "query":
                        yield Call(method, f"{ADDRESS}{address}?{one['name']}={text}")
            for content in _hostile_bodies(description, operation):
                yield Call(method, ADDRESS + address, content, {"content-type": "application/json"})


def _hostile_bodies(description: dict[str, Any], operation: dict[str, Any]) -> Iterator[bytes]:  # Any: JSON
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    yield b"[" * 100_000
    yield b'{"\xed\xa0\x80": 1}'
    yield b"\xff\xfe"
    reference = content["schema"].get("$ref", "").rpartition("/")[2]
    fields = description["components"]["schemas"].get(reference, {}).get("properties", {})
    usual = dict.fromkeys(fields, HARMLESS)
    for name in fields:
        for value in HOSTILE_VALUES:
            yield json.dumps({**({} if value in ("\x00", "\ud800") else usual), name: value}).encode()
