"""A real S3 server on loopback, for the time of the test run, and a bucket of its own for each test."""

import http.client
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

START_SECONDS = 60


@pytest.fixture(scope="session")
def object_server() -> Iterator[int]:
    """Its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(port):
                assert server.poll() is None, "the S3 server ended"
                assert time.monotonic() < deadline, "the S3 server did not start"
                time.sleep(0.05)
            yield port
        finally:
            server.terminate()


@pytest.fixture
def bucket_settings(object_server: int) -> dict[str, Any]:
    """What the settings say about a new bucket, which is empty."""
    name = Shelf(object_server).name
    return settings_for(f"http://127.0.0.1:{object_server}", f"s3://{name}/previews")


class Shelf:
    """A new bucket of the server, into which a test puts what others would have put there."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.name = f"keepers-{uuid.uuid4().hex[:12]}"
        self._ask("PUT", "", b"")

    def put(self, key: str, data: bytes) -> None:
        self._ask("PUT", key, data)

    def remove(self, key: str) -> None:
        self._ask("DELETE", key, b"")

    def rename(self, key: str, new: str) -> None:
        self.put(new, self._ask("GET", key, b""))
        self.remove(key)

    def _ask(self, method: str, key: str, data: bytes) -> bytes:
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"))
        try:
            signed = {"Authorization": "AWS AKIAKEEPERS:never-looked-at"}
            connection.request(method, f"/{self.name}/{quote(key)}", data, signed)
            answer = connection.getresponse()
            assert answer.status in (200, 204), answer.read()
            return answer.read()
        finally:
            connection.close()


@pytest.fixture
def shelf(object_server: int) -> Shelf:
    return Shelf(object_server)


def settings_for(endpoint: str, url: str = "s3://keepers/previews", **more: Any) -> dict[str, Any]:
    return {
        "claims_url": url,
        "aws_endpoint_url": endpoint,
        "aws_access_key_id": "AKIAKEEPERS",
        "aws_secret_access_key": "never-to-be-shown",
        **more,
    }


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
