"""What is in the sample archive: which part of which photograph, and the camera data that each is given."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

Box = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the photograph


@dataclass(frozen=True)
class Camera:
    make: str
    model: str
    lens: str


@dataclass(frozen=True)
class Shot:
    """One frame. `brighter_ev` and `defocus_px` (radius at the frame's own size) make it differ from its neighbours."""

    path: str
    source: str
    box: Box
    taken: datetime
    camera: Camera
    focal_length_mm: int
    aperture: float
    shutter_seconds: Fraction
    iso: int
    long_edge_px: int
    quality: int = 88
    brighter_ev: float = 0
    defocus_px: float = 0


CAMERAS = {
    "Canon": Camera("Canon", "Canon EOS R6", "RF100mm F2.8 L MACRO IS USM"),
    "Nikon": Camera("NIKON CORPORATION", "NIKON Z 6_2", "NIKKOR Z 24-120mm f/4 S"),
    "Fuji": Camera("FUJIFILM", "X-T4", "XF35mmF1.4 R"),
}

# Folder and camera; then file, photograph, part of it, time taken, exposure, pixels of the long edge.
# These photographs come inside Python packages, so they are always there.
ALWAYS = """

2024-09 Launch: Nikon
  _Z620118.JPG        rocket            whole                2024-09-14 19:41:07.22  62mm f/4 1/15 ISO 1600    2000
  _Z620123.JPG        rocket            0.3 0 0.72 1         2024-09-14 19:43:51.61  120mm f/4 1/30 ISO 3200   2000
2024-02 Portraits: Nikon
  _Z620031.JPG        astronaut         0.08 0 0.88 1        2024-02-03 11:05:42.18  85mm f/4 1/160 ISO 200    2000
  _Z620032.JPG        astronaut         0.2 0.02 0.68 0.62   2024-02-03 11:07:10.04  120mm f/4 1/160 ISO 200   2000
  _Z620040.JPG        astronaut         0.5 0.62 0.98 0.98   2024-02-03 11:21:33.90  100mm f/5.6 1/125 ISO 200  1600
2023-11 Café: Fuji
  DSCF3307.JPG        coffee            whole                2023-11-18 09:31:12.45  35mm f/2 1/60 ISO 640     2000
2024-10 Park: Fuji
  DSCF4410.JPG        cameraman         whole                2024-10-20 14:02:08.33  35mm f/5.6 1/500 ISO 200  2000
  DSCF4418.JPG        cameraman         0.1 0.08 0.85 0.58   2024-10-20 14:03:40.51  35mm f/4 1/500 ISO 200    2000
  DSCF4431.JPG        brick             whole                2024-10-20 14:40:19.07  35mm f/8 1/125 ISO 200    1600
  DSCF4433.JPG        gravel            0 0.1 1 0.77         2024-10-20 14:44:55.76  35mm f/8 1/125 ISO 200    1600
2024-05 Summer Palace: Nikon
  DSC_0409.JPG        palace            0 0 0.66 1           2024-05-11 10:12:31.12  44mm f/8 1/250 ISO 100    2000
  DSC_0415.JPG        palace            0.3 0.1 1 0.8        2024-05-11 10:19:02.87  70mm f/8 1/250 ISO 100    2000
2023-08 Garden: Canon
  IMG_2103.JPG        dahlia            whole                2023-08-06 08:55:20.30  100mm f/4 1/320 ISO 100   2000
  IMG_2105.JPG        dahlia            0.26 0.1 0.72 0.82   2023-08-06 08:56:01.64  100mm f/5.6 1/200 ISO 100  2000
2023-12 Night sky: Nikon
  _Z610990.JPG        galaxies          whole                2023-12-09 23:48:00.00  120mm f/4 30 ISO 3200     1800
2025-03 Garage: Fuji
  DSCF5011.JPG        motorcycle        0.42 0.3 0.95 0.85   2025-03-08 16:20:45.98  35mm f/2.8 1/80 ISO 800   2000
"""

WITH_BACKGROUNDS = """

2023-08 Garden: Canon
  IMG_2110.JPG        FreshFlower.jpg   whole                2023-08-06 09:10:04.22  100mm f/4 1/250 ISO 100   1600
  IMG_2116.JPG        Garden.jpg        whole                2023-08-06 09:18:37.91  100mm f/2.8 1/640 ISO 100  2400
  IMG_2117.JPG        Garden.jpg        0.45 0.1 1 0.95      2023-08-06 09:20:12.05  100mm f/2.8 1/640 ISO 100  1600
  IMG_2124.JPG        YellowFlower.jpg  whole                2023-08-06 09:33:26.47  100mm f/5.6 1/250 ISO 200  2400
  IMG_2131.JPG        TwoWings.jpg      0.2 0 1 1            2023-08-06 09:48:59.18  100mm f/2.8 1/800 ISO 200  2000
2024-04 Wet meadow: Canon
  IMG_3302.JPG        GreenMeadow.jpg   whole                2024-04-21 07:31:44.39  100mm f/4 1/125 ISO 200   1600
  IMG_3305.JPG        RainDrops.jpg     whole                2024-04-21 07:40:03.73  100mm f/5.6 1/125 ISO 400  1920
  IMG_3309.JPG        Blinds.jpg        whole                2024-04-21 07:52:18.02  100mm f/8 1/60 ISO 400    1920
  IMG_3315.JPG        LadyBird.jpg      0.25 0.2 0.95 0.9    2024-04-21 08:15:30.85  100mm f/4 1/320 ISO 400   1800
2024-07 Coast: Nikon
  DSC_0601.JPG        Dune.jpg          whole                2024-07-19 18:22:51.56  35mm f/8 1/500 ISO 100    1680
  DSC_0608.JPG        Storm.jpg         whole                2024-07-20 20:47:13.24  24mm f/4 1/8 ISO 400      1920
  DSC_0609.JPG        Aqua.jpg          0.3 0.1 1 0.9        2024-07-21 10:05:09.69  120mm f/4 1/1000 ISO 400  1800
"""

# More parts of the same photographs, so that the archive has its size without the backgrounds.
WITHOUT_BACKGROUNDS = """

2023-08 Garden: Canon
  IMG_2109.JPG        dahlia            0 0 0.66 1           2023-08-06 09:01:10.52  100mm f/4 1/320 ISO 100   1600
  IMG_2119.JPG        grass             whole                2023-08-06 09:22:44.91  100mm f/8 1/160 ISO 200   1600
2023-11 Café: Fuji
  DSCF3309.JPG        coffee            0.2 0 0.82 0.9       2023-11-18 09:33:05.28  35mm f/1.4 1/125 ISO 640  1600
  DSCF3312.JPG        coffee            0.1 0.3 0.75 1       2023-11-18 09:36:48.03  35mm f/1.4 1/125 ISO 640  1600
2024-02 Portraits: Nikon
  _Z620044.JPG        astronaut         0.55 0 1 0.68        2024-02-03 11:30:02.66  70mm f/5.6 1/125 ISO 200  1600
2024-05 Summer Palace: Nikon
  DSC_0418.JPG        palace            0 0.05 0.62 0.62     2024-05-11 10:24:31.19  85mm f/8 1/250 ISO 100    1600
  DSC_0421.JPG        palace            0.5 0.25 1 0.75      2024-05-11 10:31:17.74  120mm f/8 1/250 ISO 100   1600
2024-09 Launch: Nikon
  _Z620130.JPG        rocket            0 0.25 1 1           2024-09-14 19:50:22.48  70mm f/4 1/15 ISO 1600    1600
2024-10 Park: Fuji
  DSCF4421.JPG        cameraman         0 0 0.7 1            2024-10-20 14:05:33.15  35mm f/4 1/500 ISO 200    1600
2025-03 Garage: Fuji
  DSCF5014.JPG        motorcycle        0 0.15 0.55 0.9      2025-03-08 16:23:12.35  35mm f/2.8 1/80 ISO 800   1600
  DSCF5019.JPG        motorcycle        0.5 0 1 0.5          2025-03-08 16:29:40.82  35mm f/4 1/60 ISO 800     1600
2023-12 Night sky: Nikon
  _Z610994.JPG        galaxies          0.2 0.1 0.8 0.55     2023-12-10 00:02:00.00  120mm f/4 30 ISO 3200     1600
"""

# Two that begin bursts, and those that become other kinds of file.
SPECIAL = """
2023-10 Cat: Canon
  IMG_2640.JPG        cat               0.04 0.06 0.94 0.96  2023-10-01 17:08:30.10  100mm f/2.8 1/200 ISO 1600  2000
  IMG_2650.JPG        cat               0.3 0 0.74 1         2023-10-01 17:12:09.54  100mm f/4 1/125 ISO 1600   1600
2025-03 Garage: Fuji
  DSCF5001.JPG        motorcycle        0.02 0.02 0.94 0.94  2025-03-08 16:11:02.40  35mm f/5.6 1/60 ISO 800   2000
2025-06 Card rescue: Fuji
  DSCF6011.JPG        coffee            0.05 0 0.95 0.9      2025-06-02 15:41:27.36  35mm f/2 1/60 ISO 800     2000
2024-05 Summer Palace: Nikon
  DSC_0412.JPG        palace            whole                2024-05-11 10:15:48.26  35mm f/8 1/250 ISO 100    1800
2023-12 Scans: Canon
  dahlia-16bit.tif    dahlia            0.1 0 0.9 1          2023-12-27 15:00:00.00  100mm f/4 1/320 ISO 100   1600
"""

# Ratings inside the file, as Lightroom writes them.
RATED = {"2024-09 Launch/_Z620118.JPG": 4, "2024-02 Portraits/_Z620040.JPG": 2, "2023-11 Café/DSCF3307.JPG": 5}


def singles(with_backgrounds: bool) -> list[Shot]:
    """The frames that stand alone: 28 of them, with or without the backgrounds."""
    return [*_shots(ALWAYS), *_shots(WITH_BACKGROUNDS if with_backgrounds else WITHOUT_BACKGROUNDS)]


def _shots(table: str) -> list[Shot]:
    sections = re.findall(r"^(\S.*): (\w+)\n((?: .*\n?)+)", table, re.MULTILINE)
    return [
        _shot(folder, CAMERAS[camera], re.split(r" {2,}", line.strip()))
        for folder, camera, lines in sections
        for line in lines.splitlines()
    ]


def _shot(folder: str, camera: Camera, columns: list[str]) -> Shot:
    name, source, box, taken, exposure, long_edge_px = columns
    focal, aperture, shutter, _, iso = exposure.split()
    left, top, right, bottom = map(float, ("0 0 1 1" if box == "whole" else box).split())
    return Shot(
        path=f"{folder}/{name}",
        source=source,
        box=(left, top, right, bottom),
        taken=datetime.fromisoformat(f"{taken}0"),
        camera=camera,
        focal_length_mm=int(focal.removesuffix("mm")),
        aperture=float(aperture.removeprefix("f/")),
        shutter_seconds=Fraction(shutter),
        iso=int(iso),
        long_edge_px=int(long_edge_px),
    )


def _later(first: Shot, number: int, seconds: float, **changes: Any) -> Shot:  # Any: fields of Shot
    """The frame with this number that followed in a burst."""
    path = re.sub(r"\d{4}(?=\.JPG$)", f"{number:04}", first.path)
    return replace(first, path=path, taken=first.taken + timedelta(seconds=seconds), **changes)


def _moved(shot: Shot, right: float, down: float) -> Box:
    left, top, far_right, bottom = shot.box
    return (left + right, top + down, far_right + right, bottom + down)


_CAT, ROTATED, _BIKE, DAMAGED, WITH_RAW, SIXTEEN_BIT = _shots(SPECIAL)
REEXPORTED = replace(_shots(ALWAYS)[5], path="Export/coffee for the web.jpg", long_edge_px=1024, quality=72)

# One burst by a hand-held camera that loses focus, one by a walking photographer under changing light.
BURSTS = [
    [
        _CAT,
        _later(_CAT, 2641, 0.3, box=_moved(_CAT, 0.01, 0)),
        _later(_CAT, 2642, 0.6, box=_moved(_CAT, 0.02, -0.02), defocus_px=6),
        _later(_CAT, 2643, 0.9, box=_moved(_CAT, 0.04, -0.01), defocus_px=2),
        _later(_CAT, 2644, 1.2, box=_moved(_CAT, 0.05, 0.03)),
    ],
    [
        _BIKE,
        _later(_BIKE, 5002, 1.4, box=_moved(_BIKE, 0.02, 0.01), brighter_ev=0.5),
        _later(_BIKE, 5003, 2.9, box=_moved(_BIKE, 0.03, 0.03), brighter_ev=-0.5, defocus_px=3),
        _later(_BIKE, 5004, 4.6, source="motorcycle from the right"),
    ],
]
