"""Which sidecars of a folder belong to which of its photographs, and what a set of files is called elsewhere. Pure."""

from collections.abc import Iterable

from orchestrator.imports.walk import SET_ASIDE
from shared.formats import IMAGE_EXTENSIONS, SIDECAR_EXTENSION, extension_of

# XMP, and the edits of RawTherapee and DxO. All of them are called `a.xmp` or `a.nef.xmp`.
SIDECAR_EXTENSIONS = frozenset([SIDECAR_EXTENSION, "pp3", "dop"])


def sidecars(names: Iterable[bytes]) -> list[bytes]:
    return sorted(name for name in names if extension_of(name) in SIDECAR_EXTENSIONS and not name.startswith(b"."))


def images(names: Iterable[bytes]) -> list[bytes]:
    return sorted(name for name in names if extension_of(name) in IMAGE_EXTENSIONS and not name.startswith(b"."))


def owners(sidecar: bytes, photographs: Iterable[bytes]) -> set[bytes]:
    """Whose this sidecar is, of the photographs beside it: `a.nef.xmp` belongs to `a.nef`, `a.xmp` to all that are
    called `a`. Upper and lower case are told apart only where both are there."""
    photographs, named = list(photographs), _stem(sidecar)
    as_named = [
        {one for one in photographs if one == named},
        {one for one in photographs if one.lower() == named.lower()},
        {one for one in photographs if _stem(one) == named},
        {one for one in photographs if _stem(one).lower() == named.lower()},
    ]
    return next((found for found in as_named if found), set())


def aside_path(path: bytes, number: int) -> bytes:
    """Where a file goes: under the same path inside the folder of what was set aside. From the second on of the same
    name all files of a photo get the number behind the name that they share, so that they still belong together."""
    folder, name = _split(path)
    end = len(_shared(name))
    numbered = name if number == 1 else name[:end] + b" (%d)" % number + name[end:]
    return b"/".join(part for part in (SET_ASIDE, folder, numbered) if part)


def path_beside(sidecar_aside: bytes, photo_aside: bytes, photo_path: bytes) -> bytes:
    """Where a sidecar belongs that another program made beside a photo that was set aside."""
    folder, photo_name = _split(photo_path)
    rest = _split(sidecar_aside)[1][len(_shared(_split(photo_aside)[1])) :]
    return b"/".join(part for part in (folder, _shared(photo_name) + rest) if part)


def _shared(name: bytes) -> bytes:
    """What the names of a photo's files have in common: `a` of `a.nef`, `a.jpg`, `a.xmp` and `a.nef.pp3`."""
    owner = _stem(name)
    is_long = extension_of(name) in SIDECAR_EXTENSIONS and extension_of(owner) in IMAGE_EXTENSIONS
    return _stem(owner) if is_long else owner


def _split(path: bytes) -> tuple[bytes, bytes]:
    folder, _, name = path.rpartition(b"/")
    return folder, name


def _stem(name: bytes) -> bytes:
    return name.rpartition(b".")[0]
