"""A photo as an export needs it: what its entry says, and where its pictures are."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from orchestrator.export.manifest import Entry


@dataclass(frozen=True)
class Source:
    """A file of a photo, its path relative to its root."""

    role: str
    root: bytes
    path: bytes


@dataclass(frozen=True)
class Photo:
    id: int
    content_hash: str | None
    file_name: str
    long_edge: int | None  # of the original, in pixels
    preview: str | None
    user_rating: int | None
    manual_match: bool
    preference_score: int | None  # of a rated photo: by a model that had not seen it
    subject: str | None
    content_type: str | None
    lighting: str | None
    mood: str | None
    tags: tuple[str, ...]
    captured_at: datetime | None
    utc_offset_minutes: int | None
    project: str | None
    passes: bool  # the rule takes it
    sources: tuple[Source, ...] = ()

    def said(self) -> Entry:
        """What the archive says of it now, as it stands in `photos.json`."""
        return {
            "photo_id": self.id,
            "content_hash": self.content_hash,
            "original_name": self.file_name,
            "tags": list(self.tags),
            "mood": self.mood,
            "subject": self.subject,
            "content_type": self.content_type,
            "lighting": self.lighting,
            "captured_at": self._captured_at(),
            "preference_score": self.preference_score,
            "user_rating": self.user_rating,
            "manual_match": self.manual_match,
            "project": self.project,
        }

    def _captured_at(self) -> str | None:
        if self.captured_at is None:
            return None
        if self.utc_offset_minutes is None:
            return self.captured_at.isoformat()
        zone = timezone(timedelta(minutes=self.utc_offset_minutes))
        return self.captured_at.replace(tzinfo=zone).isoformat()
