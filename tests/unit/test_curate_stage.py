"""Stage `curate` against an endpoint that misbehaves: what becomes of each photo, and how many calls that took."""

import io
import json
import socket
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.contracts import curate
from shared.contracts.answers import Done, Failed, Held
from shared.settings import Settings
from tests.doubles import vision_host
from tests.doubles.vision_host import MARKUP, Reply, VisionHost, describing, error, tinted
from workers import reporting
from workers.runner import Delivery, Outcome, run
from workers.stages.curate import stage
from workers.tools import Tools

NOWHERE = "http://127.0.0.1:9/v1/"
KEY = "sk-very-secret"


@pytest.fixture
def host() -> Iterator[VisionHost]:
    with describing(VisionHost()) as serving:
        yield serving


class Bench:
    """A worker of this stage, with one preview to describe."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.tools = Tools(Settings(keepers_home=folder, llm_api_key=KEY, **settings))
        self.preview = self.a_preview(7)

    def a_preview(self, number: int) -> str:
        return self.tools.claims.put(f"previews/{number}.jpg", _jpeg(tinted(number)))

    def describe(self, attempt: int = 1, **request: Any) -> Outcome:
        wanted = {"photo_id": 1, "file_path": self.preview, "host": "127.0.0.1", **request}
        return run(stage, Delivery(json.dumps(wanted).encode(), uuid.uuid4(), attempt), self.tools)


@pytest.fixture
def a_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**settings: Any) -> Bench:
        made.append(Bench(tmp_path, **settings))
        return made[-1]

    yield make
    for bench in made:
        bench.tools.close()


@pytest.fixture
def bench(a_bench: Callable[..., Bench], host: VisionHost) -> Bench:
    return a_bench(llm_base_url=host.url, llm_timeout_seconds=30)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def the_result(outcome: Outcome) -> curate.Result:
    assert isinstance(outcome.answer, Done), outcome.answer
    return curate.Result.model_validate(outcome.answer.result)


def the_failure(outcome: Outcome) -> Failed:
    assert isinstance(outcome.answer, Failed), outcome.answer
    return outcome.answer


def the_hold(outcome: Outcome) -> Held:
    assert isinstance(outcome.answer, Held), outcome.answer
    assert not outcome.retry
    return outcome.answer


def test_a_good_reply_is_kept_whole_and_names_its_model(bench: Bench, host: VisionHost) -> None:
    result = the_result(bench.describe())
    expected = {**vision_host.GOOD, "suggested_tags": tuple(vision_host.GOOD["suggested_tags"])}
    assert result.model_dump(include=set(expected)) == expected
    assert (result.described_by, result.prompt_version) == ("llava", curate.PROMPT_VERSION)
    assert host.calls == {7: 1}


def test_the_photo_is_read_from_its_claim_and_sent_whole(bench: Bench, host: VisionHost) -> None:
    bench.describe()
    with bench.tools.claims.open(bench.preview) as file:
        assert vision_host.image_in(host.requests[0]) == file.read()
    assert host.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize(
    ("reply", "field", "value"),
    [
        (vision_host.FENCED, "subject", vision_host.GOOD["subject"]),
        (vision_host.EXTRA_FIELDS, "subject", vision_host.GOOD["subject"]),
        (vision_host.MISSING_FIELDS, "content_type", "other"),
        (vision_host.MISSING_FIELDS, "suggested_tags", ()),
        (vision_host.WRONG_ENUM, "content_type", "other"),
        (vision_host.saying(content_type="Still Life"), "content_type", "still_life"),
        (vision_host.saying(content_type=None, artistic_mood=None), "artistic_mood", ""),
        (vision_host.saying(artistic_mood=["calm", "cold", 3]), "artistic_mood", "calm, cold"),
        (vision_host.MANY_TAGS, "suggested_tags", tuple(f"tag {n}" for n in range(7))),
        (vision_host.saying(suggested_tags="#Kayak, sea;, SEA, photo"), "suggested_tags", ("kayak", "sea")),
        (vision_host.saying(suggested_tags=["beautiful", "Photo", 5, {"a": 1}, "fog"]), "suggested_tags", ("fog",)),
        (vision_host.HOSTILE, "subject", f"A cat {MARKUP}"),
        (vision_host.HOSTILE, "suggested_tags", ("<b>cat</b>", "sofa")),
        (vision_host.saying(subject="Ein Hund\n\tim Schnee \ud800"), "subject", "Ein Hund im Schnee"),
        (Reply('{"subject": "a dog\nin the snow"}'), "subject", "a dog in the snow"),
    ],
)
def test_a_reply_that_is_nearly_right_is_used(
    bench: Bench, host: VisionHost, reply: Reply, field: str, value: object
) -> None:
    host.script(reply)
    assert getattr(the_result(bench.describe()), field) == value
    assert host.calls == {7: 1}


def test_endless_texts_are_cut(bench: Bench, host: VisionHost) -> None:
    host.script(vision_host.saying(subject="kayak " * 5_000, lighting_critique="x" * 50_000))
    result = the_result(bench.describe())
    assert (len(result.subject) <= 300, len(result.lighting_critique)) == (True, 400)
    assert result.subject.endswith("kayak…")


@pytest.mark.parametrize(
    "reply",
    [
        vision_host.NOT_JSON,
        vision_host.NO_SUBJECT,
        vision_host.HALF,
        vision_host.EMPTY,
        Reply(""),
        Reply("[]"),
        Reply('{"subject": ' + "[" * 100_000),
        vision_host.saying(subject="A photo."),
        vision_host.saying(subject=""),
        vision_host.saying(subject={"is": "a dog"}),
    ],
)
def test_a_reply_that_never_validates_fails_the_photo_after_two_more_calls(
    bench: Bench, host: VisionHost, reply: Reply
) -> None:
    host.script(reply)
    outcome = bench.describe()
    failed = the_failure(outcome)
    assert (failed.final, failed.failure.error_type, outcome.dead_letter) == (True, "InvalidReply", True)
    assert failed.failure.message == "llava gave no description that can be used. It was asked 3 times."
    assert failed.failure.upstream is not None
    assert failed.failure.upstream.status_code == 200
    assert host.calls == {7: 3}


def test_the_model_is_told_what_was_wrong_and_may_do_better(bench: Bench, host: VisionHost) -> None:
    host.script(vision_host.saying(subject="An image"), vision_host.WELL)
    assert the_result(bench.describe()).subject == vision_host.GOOD["subject"]
    assert "say what this photograph shows" in json.dumps(host.requests[1]["messages"][-1])
    assert host.calls == {7: 2}


@pytest.mark.parametrize(
    ("reply", "error_type"),
    [(vision_host.TALKED_ON, "InvalidReply"), (Reply(body=b'{"choices": []}'), "InvalidReply")],
)
def test_an_answer_that_asking_again_would_not_mend_fails_the_photo(
    bench: Bench, host: VisionHost, reply: Reply, error_type: str
) -> None:
    host.script(reply)
    failed = the_failure(bench.describe())
    assert (failed.final, failed.failure.error_type) == (True, error_type)
    assert host.calls[7] <= 3


def test_an_image_that_is_too_large_fails_the_photo(bench: Bench, host: VisionHost) -> None:
    host.script(vision_host.TOO_LARGE)
    failed = the_failure(bench.describe())
    assert (failed.final, failed.failure.error_type) == (True, "ImageTooLarge")
    assert failed.failure.upstream is not None
    assert failed.failure.upstream.model_dump() == {"status_code": 413, "message": "Request entity too large"}
    assert host.calls == {7: 1}


def test_a_refused_photo_fails_with_the_words_of_the_endpoint(bench: Bench, host: VisionHost) -> None:
    host.script(error(400, "image could not be read"))
    failed = the_failure(bench.describe())
    assert (failed.final, failed.failure.error_type) == (True, "RequestRefused")
    assert "image could not be read" in failed.failure.message


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (vision_host.UNAUTHORIZED, "127.0.0.1 does not accept the key: set LLM_API_KEY to one that it knows"),
        (error(403, "no access"), "does not let this key use 'llava'"),
        (vision_host.NO_MODEL, "The vision model 'llava' is not at {url}: load it there, or set LLM_MODEL"),
        (Reply(body=b"404 page not found", status=404), "There are no chat completions at {url}: LLM_BASE_URL usually"),
        (Reply(body=b"", status=307, headers={"location": "http://192.0.2.1/"}), "{url} points elsewhere (307)"),
        (vision_host.WEB_PAGE, "{url} answers with a web page: LLM_BASE_URL usually ends with /v1/."),
        (error(429, "slow down"), "127.0.0.1 takes no more requests for now. It says: slow down"),
    ],
)
def test_trouble_of_the_endpoint_holds_with_what_to_do(
    bench: Bench, host: VisionHost, reply: Reply, sentence: str
) -> None:
    host.script(reply)
    held = the_hold(bench.describe(attempt=5))
    assert sentence.format(url=host.url) in held.cause
    assert held.key == f"vision:{host.url}:llava"
    assert host.calls == {7: 1}


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_429_holds_until_its_retry_after(bench: Bench, host: VisionHost, form: str) -> None:
    at = datetime.now(UTC) + timedelta(seconds=120)
    host.script(error(429, "slow down", Retry_After="120" if form == "seconds" else format_datetime(at, usegmt=True)))
    held = the_hold(bench.describe())
    assert held.until is not None
    assert abs(held.until - at) < timedelta(seconds=10)
    assert host.calls == {7: 1}


@pytest.mark.parametrize("value", ["", "soon", "-5", "nan", "inf", "1e999"])
def test_a_retry_after_that_says_nothing_does_no_harm(bench: Bench, host: VisionHost, value: str) -> None:
    host.script(error(429, "slow down", Retry_After=value))
    until = the_hold(bench.describe()).until
    assert until is None or until <= datetime.now(UTC) + timedelta(days=1)


def test_an_endpoint_that_is_not_there_holds(a_bench: Callable[..., Bench]) -> None:
    held = the_hold(a_bench(llm_base_url=NOWHERE).describe(may_fall_back=True))
    assert held.cause.startswith(f"No vision model answers at {NOWHERE}: start it, or set LLM_BASE_URL")


@pytest.mark.parametrize(
    ("reply", "error_type", "said"),
    [
        (vision_host.UNAVAILABLE, "VisionBusy", "overloaded"),
        (vision_host.DROPPED, "ConnectionDropped", ""),
        (vision_host.SILENT, "ConnectionDropped", ""),
    ],
)
def test_passing_trouble_is_tried_again_and_held_when_it_does_not_pass(
    bench: Bench, host: VisionHost, reply: Reply, error_type: str, said: str
) -> None:
    host.script(reply)
    previews = [bench.a_preview(number) for number in range(4)]
    for preview in previews[:2]:
        outcome = bench.describe(file_path=preview)
        failed = the_failure(outcome)
        assert (failed.final, outcome.retry, failed.failure.error_type) == (False, True, error_type)
        assert failed.failure.upstream is not None
        assert said in failed.failure.upstream.message
    assert the_hold(bench.describe(file_path=previews[2])).cause.endswith("That was 3 times in a row.")
    assert the_hold(bench.describe(file_path=previews[3])).key == f"vision:{host.url}:llava"
    assert host.calls == {0: 1, 1: 1, 2: 1, 3: 1}
    host.script(vision_host.WELL)
    assert the_result(bench.describe())
    host.script(reply)
    assert the_failure(bench.describe()).failure.error_type == error_type


def test_an_answer_that_drips_is_given_up_in_time(a_bench: Callable[..., Bench], host: VisionHost) -> None:
    host.script(vision_host.SLOW)
    outcome = a_bench(llm_base_url=host.url, llm_timeout_seconds=0.3).describe()
    failure = the_failure(outcome).failure
    assert (outcome.retry, failure.error_type) == (True, "VisionTimeout")
    assert failure.message == f"llava at {host.url} gave no answer within 0.3 s."
    assert failure.upstream is not None
    assert host.calls == {7: 1}


def test_a_photo_that_alone_is_never_answered_fails_and_keeps_nobody_waiting(bench: Bench, host: VisionHost) -> None:
    host.script(vision_host.SILENT)
    outcomes = [bench.describe(attempt=attempt) for attempt in (1, 2, 3, 4, 5)]
    assert [the_failure(outcome).final for outcome in outcomes] == [False, False, False, False, True]
    assert host.calls == {7: 5}


def test_an_endpoint_that_says_it_is_busy_is_believed_for_one_photo_too(bench: Bench, host: VisionHost) -> None:
    host.script(vision_host.UNAVAILABLE)
    outcomes = [bench.describe() for _ in range(4)]
    assert [type(outcome.answer) for outcome in outcomes] == [Failed, Failed, Held, Held]


def test_a_503_is_tried_again_when_it_says(bench: Bench, host: VisionHost) -> None:
    host.script(error(503, "loading", Retry_After="20"))
    after = bench.describe().retry_after_seconds
    assert after is not None
    assert 15 < after <= 20


def test_an_endpoint_without_json_mode_is_asked_without(bench: Bench, host: VisionHost) -> None:
    host.script(error(400, "'response_format.type' must be 'json_schema' or 'text'"), vision_host.FENCED)
    first = bench.describe()
    assert (first.retry, host.calls[7]) == (True, 1)
    assert the_result(bench.describe(attempt=2)).subject == vision_host.GOOD["subject"]
    assert ["response_format" in request for request in host.requests] == [True, False]


def test_the_key_is_in_no_message_and_no_log(bench: Bench, host: VisionHost, capfd: pytest.CaptureFixture[str]) -> None:
    for reply in (error(401, f"Incorrect API key provided: {KEY}"), error(400, f"who is {KEY}?"), Reply(KEY)):
        host.script(reply)
        outcome = bench.describe()
        assert outcome.answer is not None
        assert KEY not in outcome.answer.model_dump_json()
        reporting.settled("curate", Delivery(b"", None), outcome, publish_seconds=0)
    written = capfd.readouterr()
    assert "stage.held" in written.out + written.err
    assert KEY not in written.out + written.err


def test_a_photo_is_sent_to_no_other_host_than_its_request_names(bench: Bench, host: VisionHost) -> None:
    assert "start both with the same LLM_BASE_URL" in the_hold(bench.describe(host="api.example.com")).cause
    assert host.calls == {}


@pytest.fixture
def bare(a_bench: Callable[..., Bench]) -> Bench:
    """Nobody chose an endpoint, and nothing answers at the default."""
    return a_bench(llm_default_base_url=NOWHERE)


def test_without_any_model_pixels_and_exif_are_described(bare: Bench) -> None:
    facts = {"captured_at": "2024-05-04T10:00:00", "focal_length_mm": 24}
    result = the_result(bare.describe(may_fall_back=True, **facts))
    assert (result.described_by, result.content_type) == (curate.BUILT_IN, "other")
    assert "in the morning" in result.subject
    assert "wide angle at 24 mm" in result.subject


def test_the_built_in_describer_is_not_for_those_who_reached_a_model_once(bare: Bench) -> None:
    assert the_hold(bare.describe(may_fall_back=False)).cause.startswith("No vision model answers")


def test_once_a_model_has_answered_its_absence_holds(a_bench: Callable[..., Bench], unused_port: int) -> None:
    host = VisionHost(port=unused_port)
    bench = a_bench(llm_default_base_url=host.url)
    with describing(host):
        assert the_result(bench.describe(may_fall_back=True)).described_by == "llava"
    assert the_hold(bench.describe(may_fall_back=True)).cause.startswith("No vision model answers")
    with describing(host):
        assert the_result(bench.describe(may_fall_back=True)).described_by == "llava"


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff broken"])
def test_a_broken_preview_fails_in_either_way(bare: Bench, data: bytes) -> None:
    bare.preview = bare.tools.claims.put("previews/broken.jpg", data)
    assert the_failure(bare.describe(may_fall_back=True)).failure.error_type == "CorruptFile"
