"""What an object store means when it does not do what it was asked."""

import re

EVERYTHING = "list, read, write and delete"
READING = "list and read"

_STATUS = re.compile(r"status code: (\d{3})")
_REDIRECT = "Received redirect"  # without an address to go to: the bucket lies in another region
_ODD_PATH = re.compile(r'InvalidPath \{.*?path: ("(?:[^"\\]|\\.)*")', re.DOTALL)  # where line breaks are escaped
_MACHINE_ROLE = "169.254.169.254"  # where a machine in the cloud asks for its credentials

_REFUSED = (
    "The object store refuses {at} ({status}): check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that they may"
    " {rights} there."
)
_NO_BUCKET = "There is no bucket for {at} (404): create it, or correct the address."
_IN_TROUBLE = "The object store has trouble with {at} ({status}). Keepers tries again."
_NOT_UNDERSTOOD = "The object store does not understand a request for {at} ({status}): check AWS_REGION."
_NO_CREDENTIALS = "There are no credentials for {at}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
_TOO_SLOW = "The object store did not answer within {seconds:g} seconds: {at}."
_NOBODY = "Nobody answers for {at}: is it running, and is AWS_ENDPOINT_URL right?"
_ODD_NAME = (
    "{at} has an object that is named {name}. No part of a name may be empty, . or .., or have a line break or the like"
    " in it: rename or remove it."
)
_BROKEN_OFF = "The object store broke off: {at}. Keepers tries again."


def sentence(status: int | None, said: str, at: str, seconds: float, rights: str = EVERYTHING) -> str:
    """What a person can do about it. `said`: by the library, of which no more than the name of an object is shown:
    there may be keys in it. `rights`: what Keepers wants to do there."""
    odd = _ODD_PATH.search(said)
    form = _ODD_NAME if odd else _form(status, said)
    return form.format(at=at, status=status, seconds=seconds, rights=rights, name=odd and odd[1])


def status_of(exc: Exception) -> int | None:
    """What the server answered; None when it did not."""
    match = _STATUS.search(str(exc))
    if match is None:
        return 301 if _REDIRECT in str(exc) else None
    return int(match[1])


def _form(status: int | None, said: str) -> str:
    if _MACHINE_ROLE in said:
        return _NO_CREDENTIALS
    if status is None:
        return _TOO_SLOW if "kind: Timeout" in said else _NOBODY if "kind: Connect" in said else _BROKEN_OFF
    if status == 429 or status >= 500:
        return _IN_TROUBLE
    return {401: _REFUSED, 403: _REFUSED, 404: _NO_BUCKET}.get(status, _NOT_UNDERSTOOD)
