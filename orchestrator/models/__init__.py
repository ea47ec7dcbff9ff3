"""The tables. Only services and results write them; migrations/ creates them."""

from orchestrator.models.access import Access, LoginAttempt
from orchestrator.models.backfills import Backfill, BackfillItem
from orchestrator.models.backups import BackupState, DecisionLog
from orchestrator.models.columns import Json
from orchestrator.models.curation import CurationState
from orchestrator.models.exports import ExportRecord
from orchestrator.models.imports import DueSidecar, Import, ImportItem, RatingConflict, Sidecar, Watch
from orchestrator.models.photos import (
    EmbeddingModel,
    EndedProject,
    MergedPhoto,
    OrphanCandidate,
    Photo,
    PhotoFile,
    PhotoVector,
    PhotoWords,
    Project,
    ProjectPosition,
    Root,
)
from orchestrator.models.pipeline import (
    Breaker,
    BrokerEpoch,
    Consent,
    DeadLetter,
    ErrorLog,
    Event,
    StagePause,
    StageRun,
    Tally,
)
from orchestrator.models.placards import Placard
from orchestrator.models.preferences import Preference
from orchestrator.models.rejects import RejectsBatch, SetAside
from orchestrator.models.renditions import Rendition
from orchestrator.models.review import Attention, ReviewPass, ReviewPassItem
from orchestrator.models.states import (
    CANCELLED,
    COMPANION,
    COPY,
    DAMAGED,
    DONE,
    FAILED,
    HELD,
    ORIGINAL,
    PENDING,
    PUBLISHED,
    QUEUED,
    RETRYING,
    SKIPPED,
)
from orchestrator.models.taste import Burst, BurstState, NewFrame, RatingEvent, TasteModel, TasteState

__all__ = [
    "CANCELLED",
    "COMPANION",
    "COPY",
    "DAMAGED",
    "DONE",
    "FAILED",
    "HELD",
    "ORIGINAL",
    "PENDING",
    "PUBLISHED",
    "QUEUED",
    "RETRYING",
    "SKIPPED",
    "Access",
    "Attention",
    "Backfill",
    "BackfillItem",
    "BackupState",
    "Breaker",
    "BrokerEpoch",
    "Burst",
    "BurstState",
    "Consent",
    "CurationState",
    "DeadLetter",
    "DecisionLog",
    "DueSidecar",
    "EmbeddingModel",
    "EndedProject",
    "ErrorLog",
    "Event",
    "ExportRecord",
    "Import",
    "ImportItem",
    "Json",
    "LoginAttempt",
    "MergedPhoto",
    "NewFrame",
    "OrphanCandidate",
    "Photo",
    "PhotoFile",
    "PhotoVector",
    "PhotoWords",
    "Placard",
    "Preference",
    "Project",
    "ProjectPosition",
    "RatingConflict",
    "RatingEvent",
    "RejectsBatch",
    "Rendition",
    "ReviewPass",
    "ReviewPassItem",
    "Root",
    "SetAside",
    "Sidecar",
    "StagePause",
    "StageRun",
    "Tally",
    "TasteModel",
    "TasteState",
    "Watch",
]
