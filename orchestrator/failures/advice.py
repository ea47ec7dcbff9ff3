"""What to do about a failure, by its kind. The sentence of the failure itself says what happened."""

_GENERAL = "Retry all once the cause is gone; discard what should stay as it is."
_MISTAKE = (
    "This is a mistake in Keepers, not in your photos. Retry after an update; the messages below tell what broke."
)
_THEIR_TROUBLE = "The service had trouble of its own. Retry when it is well again."

_BY_TYPE = {
    "CorruptFile": "Look for a copy of these files on another drive or card. Put it in their place, then retry.",
    "UnsupportedFile": "These files are no photographs, or of a kind nobody here can read. Export them as TIFF or JPEG"
    " beside the original and import that, or discard them.",
    "TooLarge": "Raise MAX_MEGAPIXELS if this machine has the memory, start Keepers again, then retry.",
    "FileVanished": "The files were moved or deleted after they were found. Import their new folder; discard the rest.",
    "OutsideRoots": "The folder is not among those that may be read. Open it on the Import page, then retry.",
    "DecoderCrashed": "The reader for this format gave up twice. Other programs may open the file and save it anew;"
    " retry after an update of Keepers.",
    "ImageTooLarge": "The vision model takes no picture of this size. Another endpoint (LLM_BASE_URL) may; then retry.",
    "RequestRefused": "The vision model does not take these photos. Another model (LLM_MODEL) may; then retry.",
    "InvalidReply": "The vision model does not keep to the form it is asked for. Small models often fail at that: set"
    " LLM_MODEL to a larger one, then retry. The photos are shown, rated and exported without a description.",
    "VisionBusy": "The vision model was too busy at every attempt. Retry when it has less to do.",
    "VisionTimeout": "The vision model took too long at every attempt. Retry when its machine has less to do, or set"
    " LLM_MODEL to a smaller one.",
    "ConnectionDropped": "The answers broke off half-way. Look at the network and the vision model's log, then retry.",
    "OtherEmbeddingModel": "These were to be scored by a taste that was learned from other vectors. The next training"
    " makes it good by itself; discard them.",
    "BrokenNumbers": "What was put together for the workers does not hold together. Retry; if it happens again it is a"
    " mistake in Keepers.",
    "WorkerDied": "Each try took the worker down with it, often for want of memory. Close other programs and retry a"
    " few; if they do it again, discard them.",
    "Undecodable": "Something else wrote to Keepers' queues, or an older Keepers did. Look at the message, then"
    " discard it.",
    "UnappliedResult": "The work was done, but its result could not be stored. Retry; if it happens again it is a"
    " mistake in Keepers, and the messages below tell which.",
    "Unanswered": "The worker ended without a word, in an update perhaps. Retry.",
}
_BY_STATUS = {
    401: "The service does not accept the key. Set LLM_API_KEY, start Keepers again, then retry.",
    403: "The service does not allow this to your key. Look at your account there, then retry.",
    404: "The service does not know this model. Install it there, or set LLM_MODEL, then retry.",
    429: "The service has had enough for now. Retry later.",
}
_BY_VERDICT = {
    "Retry": "Every attempt failed for a reason that often passes by itself. Retry when the machine has time."
}


def advice(error_type: str, status: int) -> str:
    """One to three sentences; `status` 0 where no service answered."""
    if error_type in _BY_TYPE:
        return _BY_TYPE[error_type]
    if status >= 500:
        return _THEIR_TROUBLE
    return _BY_STATUS.get(status) or _BY_VERDICT.get(error_type) or (_MISTAKE if _is_mistake(error_type) else _GENERAL)


def _is_mistake(error_type: str) -> bool:
    """Python's own exceptions end so, and none of the verdicts does."""
    return error_type.endswith("Error")
