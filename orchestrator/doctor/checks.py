"""One finding, and what all checks are given. A check only looks: it creates, starts and changes nothing."""

from dataclasses import dataclass, field
from typing import Any, Literal

from shared.settings import Settings

State = Literal["ok", "warning", "missing"]


@dataclass(frozen=True)
class Check:
    """`missing`: Keepers cannot do its work. `command` is what to type next."""

    name: str
    state: State
    sentence: str
    command: str | None = None


@dataclass(frozen=True)
class Patient:
    """The settings, and what an open Keepers says about where it is: empty when it is closed."""

    settings: Settings
    services: dict[str, Any] = field(default_factory=dict)  # Any: JSON

    @property
    def database_url(self) -> str | None:
        return self.settings.database_url or self.services.get("database_url")

    @property
    def rabbitmq_url(self) -> str | None:
        return self.settings.rabbitmq_url or self.services.get("rabbitmq_url")


def ok(name: str, sentence: str, command: str | None = None) -> Check:
    return Check(name, "ok", sentence, command)


def warning(name: str, sentence: str, command: str | None = None) -> Check:
    return Check(name, "warning", sentence, command)


def missing(name: str, sentence: str, command: str | None = None) -> Check:
    return Check(name, "missing", sentence, command)
