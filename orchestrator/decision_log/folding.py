"""What a whole log says in the end: the last word about each field of each photo, and the projects there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from orchestrator.decision_log.lines import Line, Photo
from orchestrator.review.service import Source, Value


@dataclass
class Project:
    """By reference: what is renamed later is renamed for all photos that are in it."""

    name: str


@dataclass(frozen=True)
class Word:
    """`line` orders what was said about two files that turn out to be one photo."""

    line: int
    value: Value | Project
    source: Source


@dataclass
class Folded:
    photos: dict[Photo, dict[str, Word]] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)  # by their names in small letters
    decisions: int = 0
    unread: list[int] = field(default_factory=list)  # numbers of lines
    _seen: dict[UUID, int] = field(default_factory=dict)

    def add(self, number: int, line: Line) -> None:
        if line.naming is not None:
            self._name(line.naming.was, line.naming.name)
        if line.decided is None or line.photo is None or line.event <= self._seen.get(line.log, 0):
            return  # a decision is told once, whoever copied the file together
        self._seen[line.log] = line.event
        self.decisions += 1
        words = self.photos.setdefault(line.photo, {})
        source: Source = "file" if line.source == "file" else "person"
        for name in line.decided.model_fields_set:
            said = getattr(line.decided, name)
            value = self._project(said) if name == "project" and said is not None else said
            words[name] = Word(number, value, source)

    def _name(self, was: str | None, name: str | None) -> None:
        project = self.projects.pop(was.casefold(), None) if was is not None else None
        if name is None:
            return
        if project is None:
            self._project(name)
            return
        project.name = name
        self.projects[name.casefold()] = project

    def _project(self, name: str) -> Project:
        return self.projects.setdefault(name.casefold(), Project(name))


def folded(lines: Iterable[tuple[int, Line | None]]) -> Folded:
    found = Folded()
    for number, line in lines:
        if line is None:
            found.unread.append(number)
        else:
            found.add(number, line)
    return found
