"""The bytes of each kind of file in the sample archive."""

import io
from fractions import Fraction

import numpy as np
import tifffile
from pidng.core import RAW2DNG
from pidng.defs import CalibrationIlluminant, CFAPattern, Orientation, PhotometricInterpretation
from pidng.dng import DNGTags, Tag
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from orchestrator.samples.darkroom import Darkroom
from orchestrator.samples.shots import Shot

NO_RATING = 0
CUT_OFF_AT = 0.55  # share of the file that a failing card kept
UTC_OFFSET = "+02:00"
WHITE_LEVEL, BLACK_LEVEL = 16383, 512  # a 14-bit sensor
AS_SHOT_NEUTRAL = (Fraction(1, 2), Fraction(1), Fraction(5, 8))  # what white looks like to the made-up sensor
XYZ_TO_SENSOR = [32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570]  # XYZ (D65) to linear sRGB, x 10000


def jpeg(room: Darkroom, shot: Shot, rating: int = NO_RATING) -> bytes:
    """A camera's JPEG; with a rating, as XMP inside the file."""
    return _encoded(room.develop(shot), shot, _exif(shot), _xmp(rating) if rating else b"")


def jpeg_on_its_side(room: Darkroom, shot: Shot) -> bytes:
    """A frame held upright in a camera that was turned: the pixels lie, EXIF says how to turn them."""
    exif = _exif(shot)
    exif[ExifTags.Base.Orientation] = 6  # turn 90 degrees clockwise to look at it
    return _encoded(room.develop(shot).transpose(Image.Transpose.ROTATE_90), shot, exif, b"")


def cut_off(room: Darkroom, shot: Shot) -> bytes:
    """A JPEG whose end is missing: its upper part can be seen."""
    whole = jpeg(room, shot)
    return whole[: int(len(whole) * CUT_OFF_AT)]


def no_picture() -> bytes:
    """What a recovery tool makes of a sector that was something else."""
    return b"\x00\xff" * 512 + b"This is not a photograph, whatever its name says.\n" * 200


def tiff16(room: Darkroom, shot: Shot) -> bytes:
    """A TIFF of 16 bits a channel."""
    pixels = np.clip(np.rint(room.develop_exactly(shot) * 257), 0, 65_535).astype(np.uint16)
    file = io.BytesIO()
    tags = [(271, "s", 0, shot.camera.make, True), (272, "s", 0, shot.camera.model, True)]
    tifffile.imwrite(
        file, pixels, photometric="rgb", compression="zlib", predictor=True, datetime=shot.taken, extratags=tags
    )
    return file.getvalue()


def sidecar(rating: int) -> bytes:
    """An XMP sidecar that holds a rating; -1 is a reject."""
    return _xmp(rating)


def dng(room: Darkroom, shot: Shot) -> bytes:
    """A RAW file: the Bayer mosaic of a made-up camera, whose raw colours are sRGB's through a colour cast."""
    mosaic = _mosaic(room.develop_exactly(shot))
    height, width = mosaic.shape
    writer = RAW2DNG()
    writer.options(_dng_tags(shot, width, height), path="", compress=False)
    return bytes(writer.convert(mosaic))


def _mosaic(encoded: np.ndarray) -> np.ndarray:
    """sRGB values 0-255 to 14-bit sensor values behind RGGB filters."""
    scaled = np.clip(encoded / 255, 0, 1)
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    sensor = linear * np.array([float(share) for share in AS_SHOT_NEUTRAL])
    mosaic = sensor[..., 1].copy()
    mosaic[0::2, 0::2] = sensor[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = sensor[1::2, 1::2, 2]
    values: np.ndarray = np.rint(mosaic * (WHITE_LEVEL - BLACK_LEVEL) + BLACK_LEVEL).astype(np.uint16)
    return values


def _dng_tags(shot: Shot, width: int, height: int) -> DNGTags:
    tags = DNGTags()
    for tag, value in {
        Tag.ImageWidth: width,
        Tag.ImageLength: height,
        Tag.TileWidth: width,
        Tag.TileLength: height,
        Tag.Orientation: Orientation.Horizontal,
        Tag.PhotometricInterpretation: PhotometricInterpretation.Color_Filter_Array,
        Tag.SamplesPerPixel: 1,
        Tag.BitsPerSample: 16,
        Tag.CFARepeatPatternDim: [2, 2],
        Tag.CFAPattern: CFAPattern.RGGB,
        Tag.BlackLevel: BLACK_LEVEL,
        Tag.WhiteLevel: WHITE_LEVEL,
        Tag.ColorMatrix1: [[value, 10000] for value in XYZ_TO_SENSOR],
        Tag.CalibrationIlluminant1: CalibrationIlluminant.D65,
        Tag.AsShotNeutral: [list(share.as_integer_ratio()) for share in AS_SHOT_NEUTRAL],
        Tag.Make: shot.camera.make,
        Tag.Model: shot.camera.model,
        Tag.UniqueCameraModel: shot.camera.model,
        Tag.DateTime: _exif_time(shot),
        Tag.DateTimeOriginal: _exif_time(shot),
        Tag.SubsecTimeOriginal: _subseconds(shot),
        Tag.ExposureTime: [list(shot.shutter_seconds.as_integer_ratio())],
        Tag.FNumber: [list(Fraction(str(shot.aperture)).as_integer_ratio())],
        Tag.PhotographicSensitivity: shot.iso,
        Tag.FocalLength: [[shot.focal_length_mm, 1]],
        Tag.EXIFPhotoLensModel: shot.camera.lens,
    }.items():
        tags.set(tag, value)
    return tags


def _encoded(image: Image.Image, shot: Shot, exif: Image.Exif, xmp: bytes) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=shot.quality, subsampling="4:2:0", exif=exif, xmp=xmp)
    return file.getvalue()


def _exif(shot: Shot) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = shot.camera.make
    exif[ExifTags.Base.Model] = shot.camera.model
    exif[ExifTags.Base.Orientation] = 1
    exif[ExifTags.Base.DateTime] = _exif_time(shot)
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = _exif_time(shot)
    details[ExifTags.Base.SubsecTimeOriginal] = _subseconds(shot)
    details[ExifTags.Base.OffsetTimeOriginal] = UTC_OFFSET
    details[ExifTags.Base.ExposureTime] = _rational(shot.shutter_seconds)
    details[ExifTags.Base.FNumber] = _rational(Fraction(str(shot.aperture)))
    details[ExifTags.Base.ISOSpeedRatings] = shot.iso
    details[ExifTags.Base.ExposureBiasValue] = _rational(Fraction(0))
    details[ExifTags.Base.FocalLength] = _rational(Fraction(shot.focal_length_mm))
    details[ExifTags.Base.LensModel] = shot.camera.lens
    return exif


def _rational(value: Fraction) -> IFDRational:
    return IFDRational(value.numerator, value.denominator)


def _exif_time(shot: Shot) -> str:
    return shot.taken.strftime("%Y:%m:%d %H:%M:%S")


def _subseconds(shot: Shot) -> str:
    return f"{shot.taken.microsecond // 10_000:02}"


def _xmp(rating: int) -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{rating}"/>\n'
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="w"?>\n'
    ).encode()
