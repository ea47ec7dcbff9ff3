"""The machine: the home and its disk, folders of photos, the port of the page, and how many folders may be watched."""

import os
import shutil
from pathlib import Path

from orchestrator.doctor.checks import Check, Patient, missing, ok, warning
from orchestrator.embedded.processes import is_free
from orchestrator.embedded.up import DEFAULT_PORT
from orchestrator.imports import bucket_roots
from orchestrator.imports.folders import may_read
from orchestrator.removal.freed import said

_LEAST_BYTES = 1_000_000_000  # below, imports come to a stop soon
_FEW_BYTES = 10_000_000_000
_FEW_WATCHES = 65_536
_WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


def home(patient: Patient) -> Check:
    """The folder of the archive, or the one above it while there is none."""
    folder = patient.settings.keepers_home
    there = next((one for one in (folder, *folder.absolute().parents) if one.exists()), Path("/"))
    if not there.is_dir():
        return missing("home", f"{there} is a file: the archive needs a folder. Set KEEPERS_HOME to another one.")
    if not os.access(there, os.W_OK | os.X_OK):
        return missing("home", f"Keepers may not write into {there}.", f'sudo chown -R "$USER" {folder}')
    if there != folder:
        return ok("home", f"{folder} is made at the first start.", "keepers up")
    return ok("home", f"The archive lies in {folder}.")


def disk(patient: Patient) -> Check:
    folder = patient.settings.keepers_home
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(there).free
    sentence = f"{said(free)} are free on the disk of {folder}."
    if free < _LEAST_BYTES:
        return missing("disk", f"{sentence} Imports stop when it is full.", "keepers prune --dry-run")
    if free < _FEW_BYTES:
        return warning("disk", f"{sentence} A thousand photos take about 0.4 GB.", "keepers prune --dry-run")
    return ok("disk", sentence)


def libraries(patient: Patient) -> Check:
    """The folders and buckets that were named as the only ones with photos."""
    roots, buckets = patient.settings.library_roots, patient.settings.library_buckets
    if roots is None or buckets is None:
        return ok("libraries", "Photos may be imported from any folder that can be read.")
    troubles = [trouble for root in roots if (trouble := may_read(root.absolute(), patient.settings))]
    troubles += [trouble for bucket in buckets if (trouble := bucket_roots.allowed(bucket, patient.settings))]
    if troubles:
        return missing("libraries", f"{' '.join(troubles)} PHOTO_LIBRARY or PHOTO_LIBRARIES names it.")
    return ok("libraries", f"Photos may be imported from {', '.join(map(str, (*roots, *buckets)))}.")


def port(patient: Patient) -> Check:
    if "address" in patient.services:
        return ok("port", f"The page is at {patient.services['address']}.")
    if is_free(DEFAULT_PORT):
        return ok("port", f"Port {DEFAULT_PORT} is free.")
    return ok(
        "port", f"Another program has port {DEFAULT_PORT}: the page gets the next free one.", "keepers up --port 0"
    )


def watches(patient: Patient, limit_file: Path = _WATCHES) -> Check:
    """How many folders the kernel lets one user watch. Linux only."""
    try:
        limit = int(limit_file.read_text())
    except (OSError, ValueError):
        return ok("watches", "This system has no limit of watched folders that could be asked for.")
    if limit < _FEW_WATCHES:
        sentence = f"The system lets {limit:,} folders be watched; beyond that Keepers looks now and then."
        return warning("watches", sentence, "sudo sysctl fs.inotify.max_user_watches=524288")
    return ok("watches", f"{limit:,} folders can be watched for new photos.")
