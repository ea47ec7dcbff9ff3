"""Stage `bursts` through its front door: a request names a file, so does the answer."""

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from orchestrator.samples.photographs import photograph
from shared.contracts import bursts
from shared.contracts.answers import Held
from shared.embedding_models import least_burst_cosine, starter_name
from shared.settings import Settings
from tests.deliveries import delivered, done, failure_of
from tests.frames import frames, looks
from workers.domain.bursts import Frames
from workers.engines.embedders import Embedders
from workers.runner import Outcome
from workers.stages.bursts import stage
from workers.tools import Tools


def put(tools: Tools, **columns: Any) -> str:
    buffer = io.BytesIO()
    np.savez(buffer, **columns)
    return tools.claims.put("bursts/frames-1.npz", buffer.getvalue())


def asked(tools: Tools, claim: str = "bursts/frames-1.npz", **wishes: Any) -> Outcome:
    fields = {"seq": 3, "model": "starter:1", "file_path": claim, "gap_seconds": 5, "least_cosine": 0.9, **wishes}
    return delivered(stage, bursts.Request(**fields), tools)


def answered(tools: Tools, made: Frames) -> tuple[bursts.Result, dict[str, Any]]:
    result = done(asked(tools, put(tools, **vars(made))), bursts.Result)
    with tools.claims.open(result.file_path) as file, np.load(file, allow_pickle=False) as columns:
        return result, {name: columns[name].tolist() for name in columns.files}


def test_the_answer_names_a_file_with_the_group_of_each_photo(tools: Tools) -> None:
    bias = np.array([0, 0, 0, 0, -1, 1], np.float32)
    made = frames(
        [0, 1, 50, 100, 101, 102], looks(0, 1, 0, 40, 41, 42), ids=[7, 9, 8, 20, 21, 22], exposure_bias_ev=bias
    )
    result, columns = answered(tools, made)
    assert (result.seq, result.bursts, result.photos) == (3, 2, 5)
    assert columns == {
        "photo_ids": [7, 9, 20, 21, 22],
        "groups": [0, 0, 1, 1, 1],
        "is_bracket": [False, True],
    }


def test_no_frames_are_no_bursts(tools: Tools) -> None:
    result, columns = answered(tools, frames([], np.zeros((0, 768))))
    assert (result.bursts, result.photos, columns["photo_ids"]) == (0, 0, [])


def test_the_same_frames_give_the_same_file(tools: Tools) -> None:
    made = frames([0, 1, 2])
    assert answered(tools, made)[0].file_path == answered(tools, made)[0].file_path


def test_a_list_that_is_gone_fails_with_what_happens_next(tools: Tools) -> None:
    assert "found again after the next import" in failure_of(asked(tools)).message


def test_a_folder_that_is_gone_holds_the_search(tools: Tools) -> None:
    tools.claims.folder.rmdir()
    assert isinstance(asked(tools).answer, Held)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04 half a file", b"not a file of numbers", b"PK\x05\x06" + bytes(18)],
    ids=["empty", "cut", "text", "no columns"],
)
def test_a_broken_list_fails_with_a_sentence(tools: Tools, data: bytes) -> None:
    (tools.claims.folder / "bursts").mkdir()
    (tools.claims.folder / "bursts/frames-1.npz").write_bytes(data)
    assert "cannot be read" in failure_of(asked(tools)).message


def test_columns_of_different_length_fail_with_a_sentence(tools: Tools) -> None:
    claim = put(tools, **{**vars(frames([0, 1])), "cameras": np.zeros(3, np.int32)})
    assert "its columns differ in length" in failure_of(asked(tools, claim)).message


def test_pickled_objects_are_never_loaded(tools: Tools) -> None:
    objects = np.array([{"a": 1}, {"b": 2}], dtype=object)
    claim = put(tools, **{**vars(frames([0, 1])), "sharpness": objects})
    assert "cannot be read" in failure_of(asked(tools, claim)).message


@pytest.mark.parametrize("wish", [{"gap_seconds": 301}, {"gap_seconds": -1}, {"least_cosine": 0.79}])
def test_thresholds_out_of_range_are_no_request(wish: dict[str, float]) -> None:
    body = {"seq": 1, "model": "m", "file_path": "a.npz", "gap_seconds": 5, "least_cosine": 0.9, **wish}
    with pytest.raises(ValueError, match=r"seconds|cosine"):
        bursts.Request(**body)


def test_the_starters_threshold_lets_shaken_frames_in_and_other_photographs_out() -> None:
    photos = [photograph(name) for name in ("cat", "coffee", "palace", "dahlia", "astronaut")]
    again = [changed for photo in photos for changed in _frames_of_a_burst(photo)]
    embed = Embedders(Settings()).get(starter_name()).embed
    likeness = np.asarray(embed(photos), np.float32) @ np.asarray(embed(photos + again), np.float32).T
    own = np.eye(len(photos), dtype=bool)
    least = least_burst_cosine(starter_name())
    assert likeness[:, : len(photos)][~own].max() < least - 0.2
    assert likeness[:, len(photos) :][np.repeat(own, len(again) // len(photos), axis=1)].min() >= least


def test_clip_has_a_threshold_of_its_own() -> None:
    assert least_burst_cosine("clip:ViT-L-14/laion2b_s32b_b82k") == 0.95


def _frames_of_a_burst(photo: Image.Image) -> list[Image.Image]:
    return [_shifted(photo, 0.03), _defocused(photo), _exposed(photo, 0.7), _exposed(photo, -0.7)]


def _shifted(image: Image.Image, share: float) -> Image.Image:
    return image.crop((int(image.width * share), int(image.height * share), image.width, image.height))


def _defocused(image: Image.Image) -> Image.Image:
    return Image.fromarray(cv2.GaussianBlur(np.asarray(image), (0, 0), 1))


def _exposed(image: Image.Image, stops: float) -> Image.Image:
    light = (np.asarray(image) / 255.0) ** 2.2 * 2**stops
    return Image.fromarray((np.clip(light, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8))
