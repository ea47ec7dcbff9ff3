"""What to do about a failure, by its kind. The sentence of the failure itself says what happened."""

_RETRY = "Retry all once the cause is gone; discard what should stay as it is."

_BY_STATUS = {
    400: "The service did not understand the request. Another model (`LLM_MODEL`) may; then retry.",
    401: "The service does not accept the key. Set `LLM_API_KEY`, start Keepers again, then retry.",
    403: "The service does not allow this to your key. Look at your account there, then retry.",
    404: "The service does not know this model. Install it there, or set `LLM_MODEL`, then retry.",
    413: "The picture is too large for this service. Another endpoint (`LLM_BASE_URL`) may take it.",
    429: "The service has had enough for now. Retry later, or with another plan there.",
}

_BY_TYPE = {
    "CorruptFile": "Look for a copy of these files on another drive or card. Put it in their place, then retry.",
    "UnsupportedFile": "These files are no photographs, or of a kind nobody here can read. Export them as TIFF or JPEG"
    " beside the original and import that, or discard them.",
    "TooLarge": "Raise MAX_MEGAPIXELS if this machine has the memory, start Keepers again, then retry.",
    "FileVanished": "The files were moved or deleted after they were found. Import their new folder; discard the rest.",
    "OutsideRoots": "The folder is not among those that may be read. Open it on the Import page, then retry.",
    "DecoderCrashed": "The reader for this format gave up twice. Other programs may open the file and save it anew;"
    " retry after an update of Keepers.",
    "WorkerDied": "Each try took the worker down with it, often for want of memory. Close other programs and retry a"
    " few; if they do it again, discard them.",
    "Undecodable": "Something else wrote to Keepers' queues. There is nothing to try again: look at the message,"
    " then discard it.",
    "UnappliedResult": "The work was done, but its result could not be stored. Retry; if it happens again, it is a"
    " mistake in Keepers, and the message below tells which.",
    "Unanswered": "The worker ended without a word, in an update perhaps. Retry.",
    "Retry": "All attempts failed for a reason that often passes by itself. Retry when the machine has time.",
    "TimedOut": "Each attempt took longer than it may. Retry when the machine, or the service, has time.",
}


def advice(error_type: str, status: int) -> str:
    """One or two sentences; `status` 0 where no service answered."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "The service had trouble of its own. Retry when it is well again."
    return _BY_TYPE.get(error_type, _RETRY)
