"""The stage `embed` through its handler: real files, the real starter, and a double where a model must be absent."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from shared.claims import CLAIMS_DISK, claim_of
from shared.contracts import Message, embed
from shared.embedding_models import clip_name, starter_name
from shared.errors import CorruptFile, Hold, OutsideRoots, Retry, TooLarge
from shared.settings import Settings
from workers.stages.embed import stage
from workers.tools import Tools


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    return Tools(Settings(keepers_home=tmp_path_factory.mktemp("home"), photo_library="/nowhere"))


def preview(photo: Image.Image, format: str = "JPEG") -> bytes:
    file = io.BytesIO()
    photo.save(file, format)
    return file.getvalue()


def coffee() -> Image.Image:
    return Image.fromarray(skimage.data.coffee())


def cat() -> Image.Image:
    return Image.fromarray(skimage.data.chelsea())


def request(tools: Tools, photo_id: int, data: bytes, model: str | None = None) -> embed.Request:
    claim = tools.claims.put(f"previews/{photo_id}.jpg", data)
    return embed.Request(photo_id=photo_id, file_path=claim, model=model or starter_name())


def vector_of(answer: Message | Exception) -> np.ndarray:
    assert isinstance(answer, embed.Result)
    return np.asarray(answer.vector, np.float32)


def test_previews_become_unit_vectors_under_the_stored_name(tools: Tools) -> None:
    answers = stage.handle([request(tools, 1, preview(coffee())), request(tools, 2, preview(cat()))], tools)
    assert [(answer.photo_id, answer.model) for answer in answers] == [(1, starter_name()), (2, starter_name())]
    for answer in answers:
        assert answer.vector.dtype == np.float16
        assert np.linalg.norm(vector_of(answer)) == pytest.approx(1, abs=1e-3)


def test_a_result_survives_the_wire(tools: Tools) -> None:
    [answer] = stage.handle([request(tools, 3, preview(coffee()))], tools)
    decoded = embed.Result.model_validate_json(answer.model_dump_json())
    assert (decoded.vector == answer.vector).all()


def test_a_smaller_export_is_closer_than_another_photo(tools: Tools) -> None:
    export = coffee().resize((300, 200))
    photo, smaller, other = stage.handle(
        [request(tools, 4, preview(coffee())), request(tools, 5, preview(export)), request(tools, 6, preview(cat()))],
        tools,
    )
    assert vector_of(photo) @ vector_of(smaller) > 0.9
    assert vector_of(photo) @ vector_of(other) < 0.6


def test_a_photo_without_a_picture_is_rejected_and_its_neighbours_pass(tools: Tools) -> None:
    whole = preview(coffee())
    good, text, cut, empty, last = stage.handle(
        [
            request(tools, 10, whole),
            request(tools, 11, b"this is no picture"),
            request(tools, 12, whole[: len(whole) // 3]),
            request(tools, 13, b""),
            request(tools, 14, preview(cat())),
        ],
        tools,
    )
    assert [type(answer) for answer in (text, cut, empty)] == [CorruptFile] * 3
    assert (good.photo_id, last.photo_id) == (10, 14)


def test_grey_and_transparent_previews_are_seen_as_rgb(tools: Tools) -> None:
    answers = stage.handle(
        [
            request(tools, 15, preview(coffee().convert("L"))),
            request(tools, 16, preview(coffee().convert("RGBA"), "PNG")),
            request(tools, 17, preview(coffee().convert("CMYK"))),
        ],
        tools,
    )
    assert [vector_of(answer).shape for answer in answers] == [(768,)] * 3


def test_a_preview_that_vanished_is_tried_again(tools: Tools) -> None:
    gone = request(tools, 20, preview(coffee()))
    tools.claims.path(gone.file_path).unlink()
    here = request(tools, 21, preview(cat()))
    first, second = stage.handle([gone, here], tools)
    assert isinstance(first, Retry)
    assert second.photo_id == 21


def test_a_missing_claims_folder_holds_instead(tmp_path: Path) -> None:
    tools = Tools(Settings(keepers_home=tmp_path / "unmounted"))
    [held] = stage.handle([embed.Request(photo_id=1, file_path="previews/1.jpg", model=starter_name())], tools)
    assert isinstance(held, Hold)
    assert held.key == CLAIMS_DISK


def test_a_path_outside_the_roots_is_refused(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(preview(cat()))
    outside = embed.Request(photo_id=1, file_path=claim_of(tmp_path / "secret.jpg"), model=starter_name())
    [refused] = stage.handle([outside], tools)
    assert isinstance(refused, OutsideRoots)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    tools = Tools(Settings(keepers_home=tmp_path, max_megapixels=1))
    [refused] = stage.handle([request(tools, 1, preview(Image.new("RGB", (1200, 1200))))], tools)
    assert isinstance(refused, TooLarge)


def test_a_model_that_is_not_here_holds_only_the_photos_that_want_it(tools: Tools) -> None:
    clip = clip_name(tools.settings)
    held, done, rejected = stage.handle(
        [
            request(tools, 30, preview(cat()), model=clip),
            request(tools, 31, preview(cat())),
            request(tools, 32, b"no picture", model=clip),
        ],
        tools,
    )
    assert isinstance(held, Hold)
    assert held.key == f"model:{clip}"
    assert done.photo_id == 31
    assert isinstance(rejected, CorruptFile)
