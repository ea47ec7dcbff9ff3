"""What a file is, by its first bytes. The extension only decides where they leave a choice."""

from shared.formats import RAW_EXTENSIONS

HEAD_BYTES = 64
_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_RAW_MARKS = (
    b"FUJIFILMCCD-RAW",  # raf
    b"IIU\0",  # rw2, rwl, raw
    b"IIRO",  # orf
    b"IIRS",
    b"MMOR",
    b"FOVb",  # x3f
    b"II\x1a\0\0\0HEAPCCDR",  # crw
    b"IIII",  # iiq
    b"MMMM",
)
_BMP_HEADER_BYTES = (12, 40, 52, 56, 64, 108, 124)
_BRANDS = {
    b"crx ": "RAW",  # cr3
    b"avif": "AVIF",
    b"avis": "AVIF",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"),
}


def sniff(head: bytes, extension: str) -> str | None:
    """JPEG, PNG, WEBP, BMP, JXL, HEIF, AVIF, TIFF, RAW, or None for what is no photograph.

    `head` is the first HEAD_BYTES or more; `extension` is lower case without a dot. TIFF may still turn out to
    be a RAW: those share a container.
    """
    if head.startswith(_TIFF_MARKS):
        return "RAW" if extension in RAW_EXTENSIONS or head[8:10] == b"CR" else "TIFF"
    if head.startswith(_RAW_MARKS):
        return "RAW"
    return _image_kind(head) or ("RAW" if extension in RAW_EXTENSIONS else None)


def _image_kind(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and head[14:18] in (
        b"\x0c\0\0\0",
        *(bytes([n, 0, 0, 0]) for n in (40, 52, 56, 64, 108, 124)),
    ):
        return "BMP"
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return "JXL"
    return _brand(head) if head[4:8] == b"ftyp" else None


def _brand(head: bytes) -> str | None:
    """The major brand of an ISO container; a vague one (mif1) yields to a compatible brand that says more."""
    listed = [head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), int.from_bytes(head[:4], "big")), 4))]
    kinds = [_BRANDS[brand] for brand in listed if brand in _BRANDS]
    return next((kind for kind in kinds if kind != "HEIF"), kinds[0] if kinds else None)


def describe(head: bytes) -> str:
    """What an unreadable file seems to hold, to end a sentence with."""
    start = head.lstrip().lower()
    for mark, name in _OTHER_MARKS:
        if start.startswith(mark):
            return f"it holds {name}"
    if head[4:8] == b"ftyp":
        return "it holds a video or another kind of container"
    if not head.strip(b"\0"):
        return "it holds nothing but zeros"
    return "its content is of an unknown kind" if _image_kind(head) is None else "its variant is not supported"


_OTHER_MARKS = (
    (b"<", "a web page or other text"),
    (b"gif8", "a GIF"),
    (b"8bps", "a Photoshop document"),
    (b"%pdf", "a PDF"),
    (b"pk\3\4", "a ZIP archive"),
)
