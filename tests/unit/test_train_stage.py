"""The stage `train` through the front door: an .npz of ratings goes in, an artifact and its numbers come out."""

import hashlib
import shutil
import uuid
from typing import Any

import numpy as np
import pytest

from shared.claims import CLAIMS_DISK, path_of
from shared.claims_folder import FolderClaims
from shared.contracts import train
from shared.contracts.answers import Done, Held
from shared.errors import NoSpace
from shared.taste_model import TasteModel
from tests.deliveries import delivered, done, failure_of
from tests.tastes import EMBEDDING_MODEL, Person, a_person, npz
from workers.runner import Outcome
from workers.stages.train import stage
from workers.tools import Tools


def trained(tools: Tools, data: bytes, version: int = 7) -> Outcome:
    claim = tools.claims.put(f"taste/jobs/{uuid.uuid4().hex}.npz", data)
    return delivered(stage, train.Request(version=version, model=EMBEDDING_MODEL, file_path=claim), tools)


def result_of(outcome: Outcome) -> train.Result:
    return done(outcome, train.Result)


def refusal(outcome: Outcome) -> str:
    failure = failure_of(outcome)
    assert failure.error_type == "BrokenNumbers"
    return failure.message


def test_ratings_become_an_artifact_and_its_numbers(tools: Tools) -> None:
    person = a_person(60)
    result = result_of(trained(tools, npz(**person.arrays())))
    assert (result.version, result.model, result.n) == (7, EMBEDDING_MODEL, 60)
    assert result.accuracy is not None
    assert result.accuracy.spearman > 0.2
    assert [point.n for point in result.curve] == [10, 20, 60]
    data = tools.claims.path(result.artifact).read_bytes()
    assert path_of(result.artifact).name == f"7-{hashlib.sha256(data).hexdigest()}.npz"
    model = TasteModel.from_bytes(data)
    assert (model.version, model.embedding_model) == (7, EMBEDDING_MODEL)
    assert (model.photo_ids == person.photo_ids).all()


def test_a_redelivery_gives_the_same_artifact(tools: Tools) -> None:
    data = npz(**a_person(40).arrays())
    first, second = result_of(trained(tools, data)), result_of(trained(tools, data))
    assert first == second
    assert len(list(tools.claims.path("taste").glob("*.npz"))) == 1


def test_whole_stars_of_any_number_type_are_read(tools: Tools) -> None:
    person = a_person(30)
    whole = npz(**person.arrays(ratings=person.ratings.astype(np.int16), vectors=person.vectors.astype(np.float64)))
    assert result_of(trained(tools, whole)) == result_of(trained(tools, npz(**person.arrays())))


def test_nineteen_ratings_and_one_are_trained_when_asked(tools: Tools) -> None:
    assert result_of(trained(tools, npz(**a_person(19).arrays()))).n == 19
    assert result_of(trained(tools, npz(**a_person(1).arrays()))).accuracy is None


def test_equal_ratings_have_no_numbers(tools: Tools) -> None:
    result = result_of(trained(tools, npz(**a_person(25).arrays(ratings=np.full(25, 5, np.float32)))))
    assert (result.accuracy, result.curve) == (None, ())


def changed(person: Person, name: str, place: Any, value: Any) -> dict[str, Any]:
    array = person.arrays()[name].copy()
    array[place] = value
    return person.arrays(**{name: array})


BROKEN = {
    "no photo": lambda p: p.arrays(photo_ids=p.photo_ids[:0], ratings=p.ratings[:0], vectors=p.vectors[:0]),
    "too few ratings": lambda p: p.arrays(ratings=p.ratings[1:]),
    "too few vectors": lambda p: p.arrays(vectors=p.vectors[1:]),
    "short vectors": lambda p: p.arrays(vectors=p.vectors[:, :512]),
    "a flat archive": lambda p: p.arrays(archive=p.archive[0]),
    "short archive": lambda p: p.arrays(archive=p.archive[:, :512]),
    "a photo twice": lambda p: changed(p, "photo_ids", 1, p.photo_ids[0]),
    "ids with fractions": lambda p: p.arrays(photo_ids=p.photo_ids + 0.5),
    "no stars": lambda p: changed(p, "ratings", 2, 0),
    "six stars": lambda p: changed(p, "ratings", 2, 6),
    "a rating that is no number": lambda p: changed(p, "ratings", 2, np.nan),
    "a vector that is no number": lambda p: changed(p, "vectors", (3, 4), np.nan),
    "an endless archive": lambda p: changed(p, "archive", (3, 4), np.inf),
    "a long vector": lambda p: changed(p, "vectors", (3, 4), 40),
    "words": lambda p: p.arrays(ratings=np.array(["five"] * 30)),
    "objects": lambda p: p.arrays(ratings=p.ratings.astype(object)),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_broken_numbers_are_refused_with_a_sentence(tools: Tools, broken: Any) -> None:
    outcome = trained(tools, npz(**broken(a_person(30))))
    assert refusal(outcome).endswith(".")
    assert outcome.dead_letter


def test_a_request_whose_file_is_gone_cut_short_or_something_else_is_refused(tools: Tools) -> None:
    request = train.Request(version=1, model=EMBEDDING_MODEL, file_path="taste/jobs/gone.npz")
    assert refusal(delivered(stage, request, tools)) == "The numbers of this request are not there any more."
    whole = npz(**a_person(30).arrays())
    for data in (whole[: len(whole) // 2], b"", b"PK", b"no numbers", npz(photo_ids=np.zeros(3))):
        assert refusal(trained(tools, data)) == "The numbers of this request are broken or cut short."


def test_a_training_waits_while_the_folder_of_claims_is_not_there(tools: Tools) -> None:
    request = train.Request(
        version=1, model=EMBEDDING_MODEL, file_path=tools.claims.put("jobs/1.npz", npz(**a_person(30).arrays()))
    )
    away = tools.claims.folder.with_name("unplugged")
    shutil.move(tools.claims.folder, away)
    answer = delivered(stage, request, tools).answer
    assert isinstance(answer, Held)
    assert answer.key == CLAIMS_DISK
    shutil.move(away, tools.claims.folder)
    assert isinstance(delivered(stage, request, tools).answer, Done)


def test_a_training_waits_while_the_disk_is_full(tools: Tools) -> None:
    claim = tools.claims.put("jobs/1.npz", npz(**a_person(30).arrays()))
    tools.claims = FullDisk(tools.claims.folder)
    answer = delivered(stage, train.Request(version=1, model=EMBEDDING_MODEL, file_path=claim), tools).answer
    assert isinstance(answer, Held)
    assert answer.key == CLAIMS_DISK


class FullDisk(FolderClaims):
    def put(self, key: str, data: bytes) -> str:
        raise NoSpace("The disk is full.", key=CLAIMS_DISK)
