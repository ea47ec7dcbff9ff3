"""Numbers that travel as a claim: an .npz, read without unpickling anything."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.claims import ClaimStore
from shared.errors import Reject, Retry
from workers.fetching import fetching

Arrays = dict[str, NDArray[Any]]  # Any: each of its own type


class BrokenNumbers(Reject):
    """The numbers that were sent with this request are missing or broken."""


def read_arrays(claims: ClaimStore, claim: str, names: tuple[str, ...]) -> Arrays:
    """The arrays of these names, all of them numbers. Raises BrokenNumbers when one is not there or not finite."""
    data = read_bytes(claims, claim, missing=BrokenNumbers("The numbers of this request are not there any more."))
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in names}
    except Exception as exc:  # numpy, zipfile and tokenize raise an open set for what is cut short or is something else
        raise BrokenNumbers("The numbers of this request are broken or cut short.", cause=str(exc)) from exc
    for name, array in arrays.items():
        if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
            raise BrokenNumbers(f"The numbers of this request are broken: {name} holds something else than numbers.")
    return arrays


def read_bytes(claims: ClaimStore, claim: str, *, missing: Reject) -> bytes:
    """The file of a claim. Raises `missing` when it is gone, and holds while the place of previews is away."""
    try:
        with fetching():
            return claims.read(claim)
    except OSError as exc:
        if isinstance(exc, (FileNotFoundError, NotADirectoryError)):
            raise missing from exc
        raise Retry(f"{claim} could not be read: {exc.strerror}.") from exc
