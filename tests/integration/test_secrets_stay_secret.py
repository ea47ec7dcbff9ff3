"""Passwords in addresses, keys and tokens stand in no log, no error row and no page, also where they are wrong."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.doubles.vision_host import UNAUTHORIZED, VisionHost, describing
from tests.stack import REPOSITORY, Stack, a_jpeg

WRONG = "wrong-secret-Zx81"
KEY = "sk-secret-Qq17"
NOBODY = "127.0.0.1:9"


@pytest.fixture
def endpoint() -> Iterator[VisionHost]:
    with describing(VisionHost()) as serving:
        yield serving


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{password}@{parts.hostname}:{parts.port}").geturl()


def test_services_that_cannot_connect_keep_the_passwords_to_themselves(stack: Stack, tmp_path: Path) -> None:
    database, broker = (stack.environment[name] for name in ("DATABASE_URL", "RABBITMQ_URL"))
    serve, work = ["orchestrator", "serve", "--port", "0"], ["workers", "score"]
    attempts = {
        "database.unreachable": (serve, {"DATABASE_URL": f"postgresql://keepers:{WRONG}@{NOBODY}/keepers"}),
        "InvalidPassword": (serve, {"DATABASE_URL": with_password(database, WRONG)}),
        "broker.unreachable": (serve, {"RABBITMQ_URL": with_password(broker, WRONG)}),
        "broker.lost": (work, {"RABBITMQ_URL": with_password(broker, WRONG)}),
        "broker.lost ": (work, {"RABBITMQ_URL": f"amqp://keepers:{WRONG}@{NOBODY}/"}),
    }
    secrets = {"LLM_API_KEY": KEY, "KEEPERS_PASSWORD": WRONG, "METRICS_TOKEN": WRONG, "AWS_SECRET_ACCESS_KEY": WRONG}
    running = {}
    for event, (module, addresses) in attempts.items():
        log = tmp_path / f"{len(running)}.log"
        running[event] = log, _start(module, stack.environment | secrets | addresses, log)
    try:
        for event, (log, _) in running.items():
            stack.wait(lambda log=log, event=event: event.strip() in log.read_text(), f"{event} in {log}", 90)
    finally:
        for _, process in running.values():
            process.kill()
            process.wait(60)
    for event, (log, _) in running.items():
        assert WRONG not in log.read_text(), event
        assert KEY not in log.read_text(), event


def test_a_key_that_an_endpoint_refuses_and_repeats_is_shown_nowhere(stack: Stack, endpoint: VisionHost) -> None:
    endpoint.script(*[UNAUTHORIZED] * 20)
    stack.environment |= {"LLM_API_KEY": KEY, "LLM_BASE_URL": endpoint.url, "LOG_FORMAT": "json"}
    a_jpeg(stack.photos / "a.jpg", 1)
    stack.orchestrator()
    stack.workers("convert", "curate")
    stack.start_import()
    stack.wait(lambda: stack.sql("SELECT 1 FROM breakers"), "the endpoint to be left alone")
    said = "".join(
        stack.client.get(page).text for page in ("/", "/logs", "/dead-letters", "/settings", "/api/curation")
    )
    tables = [row[0] for row in stack.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    said += "".join(str(stack.sql(f"SELECT t::text FROM {table} t")) for table in tables)
    said += stack.log_tail(1_000_000)
    for secret in (
        KEY,
        urlsplit(stack.environment["RABBITMQ_URL"]).password,
        urlsplit(stack.environment["DATABASE_URL"]).password,
    ):
        assert secret
        assert secret not in said


def _start(module: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        command = [sys.executable, "-m", *module]
        return subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=file, stderr=file)
