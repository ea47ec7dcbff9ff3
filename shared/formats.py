"""Which files are photographs, by extension: lower case, without the dot.

An extension only decides what an import looks at; what a file really is, its first bytes tell the decoder.
"""

# fmt: off
RAW_EXTENSIONS = frozenset([
    "cr2", "cr3", "crw", "nef", "nrw", "arw", "dng", "raf", "orf", "rw2", "rwl", "pef",
    "srw", "x3f", "3fr", "erf", "mef", "mos", "dcr", "kdc", "iiq", "raw",
])
# fmt: on
IMAGE_EXTENSIONS = RAW_EXTENSIONS | frozenset(
    ["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "heic", "heif", "hif", "avif", "jxl"]
)
COMPANION_EXTENSIONS = frozenset(["jpg", "jpeg", "heic", "heif", "hif"])  # what a camera writes beside a RAW

SIDECAR_EXTENSION = "xmp"  # what other programs keep ratings and edits in, beside the original


def extension_of(name: str | bytes) -> str:
    """The extension of a file name, `a/IMG_1.CR2` -> `cr2`; empty when it has none, as `.jpg` alone has not."""
    text = name.decode("ascii", "replace") if isinstance(name, bytes) else name
    stem, dot, extension = text.rpartition("/")[2].rpartition(".")
    return extension.lower() if dot and stem else ""
