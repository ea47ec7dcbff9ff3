"""Whose machine is it that photos would be sent to?"""

import pytest

from shared import vision_endpoint
from shared.settings import Settings


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434/v1/",
        "http://127.0.0.1:1/v1",
        "http://[::1]:8080/v1",
        "http://[::ffff:192.168.1.5]/v1",
        "http://192.168.1.20:8000/v1",
        "http://ollama:11434/v1",
        "http://Studio.Local./v1",
        "http://host.docker.internal:11434/v1",
        "localhost:11434/v1",
    ],
)
def test_this_machine_and_its_network_are_local(url: str) -> None:
    assert not vision_endpoint.is_remote(vision_endpoint.host_of(_address(url)))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.anthropic.com/v1/",
        "http://8.8.8.8/v1",
        "http://134744072/v1",  # 8.8.8.8, as a resolver reads it
        "http://0x08080808/v1",
        "http://[2001:4860:4860::8888]/v1",
        "http://localhost.example.com/v1",
        "http://localhost@api.x.com/v1",
        "http://[broken/v1",
        "",
    ],
)
def test_everything_else_is_remote(url: str) -> None:
    assert vision_endpoint.is_remote(vision_endpoint.host_of(url))


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    assert vision_endpoint.shown("https://me:secret@api.x.com/v1/?key=1") == "https://api.x.com/v1/"


def test_an_address_has_a_scheme_and_ends_with_a_slash() -> None:
    assert _address(" studio:8000/v1 ") == "http://studio:8000/v1/"
    assert vision_endpoint.address(Settings()) == "http://localhost:11434/v1/"


def _address(url: str) -> str:
    return vision_endpoint.address(Settings(llm_base_url=url))
