"""The stage `score` through the front door: scores under one taste, or a sentence that says why not."""

import shutil
import uuid
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.claims import CLAIMS_DISK
from shared.contracts import score
from shared.contracts.answers import Held
from shared.taste_model import TasteModel
from tests.deliveries import delivered, done, failure_of
from tests.tastes import EMBEDDING_MODEL, a_person, npz, some_photos
from workers.runner import Outcome
from workers.stages.score import stage
from workers.tools import Tools

PHOTO_IDS = np.array([5, 3, 900, 4], np.int64)
VECTORS = some_photos(4, seed=8)


@pytest.fixture(scope="module")
def model() -> TasteModel:
    return a_person(80).learned(version=3).model


def scored(tools: Tools, artifact: str, *, embedding_model: str = EMBEDDING_MODEL, **arrays: Any) -> Outcome:
    batch = tools.claims.put(
        f"taste/jobs/{uuid.uuid4().hex}.npz", npz(**({"photo_ids": PHOTO_IDS, "vectors": VECTORS} | arrays))
    )
    request = score.Request(activation=11, model=embedding_model, artifact=artifact, file_path=batch)
    return delivered(stage, request, tools)


def result_of(outcome: Outcome) -> score.Result:
    return done(outcome, score.Result)


def test_vectors_become_scores_in_the_order_of_their_photos(tools: Tools, model: TasteModel) -> None:
    result = result_of(scored(tools, tools.claims.put("taste/3.npz", model.to_bytes())))
    assert result.activation == 11
    assert result.photo_ids == (5, 3, 900, 4)
    assert result.scores == tuple(model.scores(VECTORS).tolist())
    assert len(set(result.scores)) > 1


def test_a_redelivery_and_another_batch_size_give_the_same_scores(tools: Tools, model: TasteModel) -> None:
    artifact = tools.claims.put("taste/3.npz", model.to_bytes())
    together = result_of(scored(tools, artifact))
    assert result_of(scored(tools, artifact)) == together
    alone = [
        result_of(scored(tools, artifact, photo_ids=PHOTO_IDS[i : i + 1], vectors=VECTORS[i : i + 1])) for i in range(4)
    ]
    assert tuple(result.scores[0] for result in alone) == together.scores


def test_an_empty_batch_has_no_scores(tools: Tools, model: TasteModel) -> None:
    artifact = tools.claims.put("taste/3.npz", model.to_bytes())
    assert result_of(scored(tools, artifact, photo_ids=PHOTO_IDS[:0], vectors=VECTORS[:0])).scores == ()


def test_requests_under_two_models_in_turn_each_get_their_own(tools: Tools, model: TasteModel) -> None:
    contrary = replace(model, dual=-model.dual)
    artifacts = {tools.claims.put(f"taste/{i}.npz", m.to_bytes()): m for i, m in enumerate((model, contrary))}
    for artifact, wanted in [*artifacts.items(), *artifacts.items()]:
        assert result_of(scored(tools, artifact)).scores == tuple(wanted.scores(VECTORS).tolist())


def test_a_taste_does_not_judge_vectors_of_another_embedding_model(tools: Tools, model: TasteModel) -> None:
    failure = failure_of(scored(tools, tools.claims.put("taste/3.npz", model.to_bytes()), embedding_model="clip:x"))
    assert failure.error_type == "OtherEmbeddingModel"
    assert "Version 3" in failure.message
    assert "clip:x" in failure.message


def test_a_deleted_artifact_is_refused_also_after_it_was_in_use(tools: Tools, model: TasteModel) -> None:
    artifact = tools.claims.put("taste/3.npz", model.to_bytes())
    assert result_of(scored(tools, artifact)).scores
    tools.claims.path(artifact).unlink()
    failure = failure_of(scored(tools, artifact))
    assert failure.error_type == "TasteModelBroken"
    assert "not there any more" in failure.message


def test_a_truncated_artifact_is_refused_also_after_it_was_in_use(tools: Tools, model: TasteModel) -> None:
    artifact = tools.claims.put("taste/3.npz", model.to_bytes())
    assert result_of(scored(tools, artifact)).scores
    with open(tools.claims.path(artifact), "r+b") as file:
        file.truncate(5_000)
    failure = failure_of(scored(tools, artifact))
    assert (failure.error_type, failure.message) == (
        "TasteModelBroken",
        "The file of this taste model is broken or cut short.",
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"photo_ids": PHOTO_IDS[:3]},
        {"photo_ids": PHOTO_IDS.astype(np.float64)},
        {"photo_ids": PHOTO_IDS.reshape(2, 2)},
        {"vectors": VECTORS[:, :700]},
        {"vectors": np.full((4, 768), np.nan, np.float16)},
        {"vectors": np.array([print] * 4, dtype=object)},
    ],
    ids=["fewer ids", "fractions", "a table of ids", "short vectors", "no numbers", "objects"],
)
def test_a_broken_batch_is_refused(tools: Tools, model: TasteModel, broken: dict[str, Any]) -> None:
    failure = failure_of(scored(tools, tools.claims.put("taste/3.npz", model.to_bytes()), **broken))
    assert failure.error_type == "BrokenNumbers"


def test_a_batch_that_is_gone_is_refused(tools: Tools, model: TasteModel) -> None:
    artifact = tools.claims.put("taste/3.npz", model.to_bytes())
    request = score.Request(activation=1, model=EMBEDDING_MODEL, artifact=artifact, file_path="taste/jobs/gone.npz")
    assert failure_of(delivered(stage, request, tools)).error_type == "BrokenNumbers"


def test_scoring_waits_while_the_folder_of_claims_is_not_there(tools: Tools, model: TasteModel) -> None:
    artifact = tools.claims.put("taste/3.npz", model.to_bytes())
    request = score.Request(activation=1, model=EMBEDDING_MODEL, artifact=artifact, file_path=artifact)
    shutil.rmtree(tools.claims.folder)
    answer = delivered(stage, request, tools).answer
    assert isinstance(answer, Held)
    assert answer.key == CLAIMS_DISK
