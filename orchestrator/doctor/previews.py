"""The place of previews and of everything else that is made of photos."""

from orchestrator.doctor.checks import Check, Patient, missing, ok
from shared.claims import open_claims
from shared.errors import KeepersError


def previews(patient: Patient) -> Check:
    """A folder is made when it is needed; an object store has to answer."""
    settings = patient.settings
    if settings.claims_url is None:
        return ok("previews", f"Previews are kept in {settings.claims_folder}.")
    try:
        open_claims(settings).list("previews/00")
    except KeepersError as exc:
        return missing("previews", exc.message)
    return ok("previews", f"Previews are kept in {settings.claims_url}.")
