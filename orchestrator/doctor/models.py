"""The models: who embeds photos, and who describes them."""

import socket
from urllib.parse import urlsplit

import asyncpg

from orchestrator.curation.watching import is_there
from orchestrator.db import plain_dsn
from orchestrator.doctor.checks import Check, Patient, missing, ok, warning
from orchestrator.doctor.services import ANSWER_SECONDS, UNREACHABLE
from shared import embedding_models, vision_endpoint


def embedding(patient: Patient) -> Check:
    settings = patient.settings
    if embedding_models.clip_is_fetched(settings):
        return ok("embedding", f"CLIP is here: {embedding_models.clip_name(settings)}.")
    if embedding_models.clip_file(settings) is not None:
        return missing("embedding", embedding_models.not_here_sentence(settings))
    return ok("embedding", "The starter model is in use. CLIP finds more alike.", "keepers models fetch clip")


async def descriptions(patient: Patient) -> Check:
    settings = patient.settings
    url = vision_endpoint.address(settings)
    shown, host = vision_endpoint.shown(url), vision_endpoint.host_of(url)
    if vision_endpoint.is_remote(host) and not await _has_consent(patient, host):
        sentence = f"Photos would be sent to {host}, for which there is no yes yet: it is given on the Import page."
        return warning("descriptions", sentence)
    if not _answers(url):
        return _nobody(patient, shown)
    if not vision_endpoint.is_remote(host) and settings.llm_api_key is None and not is_there(url, settings.llm_model):
        sentence = f"{shown} answers, and has no model {settings.llm_model}."
        return warning("descriptions", sentence, f"ollama pull {settings.llm_model}")
    return ok("descriptions", f"{settings.llm_model} at {shown} describes photos.")


def _nobody(patient: Patient, shown: str) -> Check:
    if vision_endpoint.is_chosen(patient.settings):
        return warning("descriptions", f"Nobody answers at {shown}, which LLM_BASE_URL names: descriptions wait.")
    sentence = f"Nobody answers at {shown}: photos are described by pixels and Exif alone until a model is there."
    return ok("descriptions", sentence, f"ollama pull {patient.settings.llm_model}")


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), timeout=ANSWER_SECONDS):
            return True
    except (OSError, ValueError):
        return False


async def _has_consent(patient: Patient, host: str) -> bool:
    """False too while the database cannot be asked."""
    if patient.database_url is None:
        return False
    try:
        connection = await asyncpg.connect(plain_dsn(patient.database_url), timeout=ANSWER_SECONDS)
        try:
            found = await connection.fetchval("SELECT 1 FROM consents WHERE host = $1", host, timeout=ANSWER_SECONDS)
        finally:
            connection.terminate()
    except (*UNREACHABLE, ValueError):
        return False
    return found is not None
