"""The decoder and its child: what dies there, and what survives here."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from PIL import Image

from shared.claims import claim_of
from shared.contracts import convert
from shared.errors import CorruptFile, DecoderCrashed, OutsideRoots, Retry, RootOffline
from shared.settings import Settings
from tests.desk import Desk
from tests.pictures import saved, scene
from workers.engines.decoder import PHOTOS_PER_CHILD, Decoder
from workers.stages.convert import stage
from workers.tools import Tools


@pytest.fixture
def decoder(desk: Desk) -> Iterator[Decoder]:
    decoder = Decoder(desk.settings)
    yield decoder
    decoder.close()


@pytest.fixture
def good(desk: Desk) -> convert.Request:
    return desk.request(desk.write("good.jpg", saved(scene(), "JPEG")))


def pid_of(decoder: Decoder) -> int:
    assert decoder.child_pid is not None
    return decoder.child_pid


def killed_in_the_middle(decoder: Decoder, request: convert.Request, attempt: int) -> convert.Result:
    """Stopped first, so that it dies with the photo in its hands."""
    os.kill(pid_of(decoder), signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(decoder.convert, request, attempt)
        os.kill(pid_of(decoder), signal.SIGKILL)
        return answer.result()


def test_what_decodes_gets_no_key_and_no_password(
    desk: Desk, good: convert.Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "RABBITMQ_URL", "LLM_API_KEY_FILE", "LOCAL_TOKEN")
    for name in secrets:
        monkeypatch.setenv(name, "never-to-be-shown")
    decoder = Decoder(desk.settings)
    try:
        decoder.convert(good)
        given = psutil.Process(pid_of(decoder)).environ()
        assert given["PATH"] == os.environ["PATH"]
        assert not set(secrets) & set(given)
    finally:
        decoder.close()


def test_a_photo_is_converted_in_another_process(decoder: Decoder, desk: Desk, good: convert.Request) -> None:
    result = decoder.convert(good)

    assert desk.claims.verify(result.preview)
    assert pid_of(decoder) != os.getpid()


def test_the_same_child_takes_the_next_photo(decoder: Decoder, good: convert.Request) -> None:
    decoder.convert(good)
    first = pid_of(decoder)
    decoder.convert(good)

    assert pid_of(decoder) == first


def test_the_first_death_of_the_child_is_a_retry_and_the_second_rejects(
    decoder: Decoder, good: convert.Request
) -> None:
    decoder.convert(good)
    with pytest.raises(Retry, match=r"good\.jpg: it was ended by SIGKILL"):
        killed_in_the_middle(decoder, good, attempt=1)
    decoder.convert(good)
    with pytest.raises(DecoderCrashed, match=r"good\.jpg twice"):
        killed_in_the_middle(decoder, good, attempt=2)

    assert decoder.convert(good).format == "JPEG"


def test_a_child_that_died_between_photos_costs_no_photo(decoder: Decoder, good: convert.Request) -> None:
    decoder.convert(good)
    child = psutil.Process(pid_of(decoder))
    child.kill()
    psutil.wait_procs([child], timeout=60)

    assert decoder.convert(good).format == "JPEG"


def test_a_decode_that_takes_too_long_is_ended(desk: Desk, good: convert.Request) -> None:
    decoder = Decoder(desk.settings.model_copy(update={"decode_seconds": 0.001}))
    try:
        with pytest.raises(Retry, match=r"it took longer than 0\.001 seconds"):
            decoder.convert(good)
        with pytest.raises(DecoderCrashed):
            decoder.convert(good, attempt=2)
    finally:
        decoder.close()


def test_a_decode_that_others_keep_from_the_processor_is_waited_for(desk: Desk, good: convert.Request) -> None:
    decoder = Decoder(desk.settings.model_copy(update={"decode_seconds": 3}))
    try:
        decoder.convert(good)
        child = psutil.Process(pid_of(decoder))
        child.suspend()
        threading.Timer(4, child.resume).start()
        assert decoder.convert(good).format == "JPEG"
        assert pid_of(decoder) == child.pid
    finally:
        decoder.close()


def test_a_photo_that_needs_too_much_memory_costs_only_itself(desk: Desk, good: convert.Request) -> None:
    huge = desk.request(
        desk.write("huge.tif", saved(Image.new("RGB", (14_000, 14_000)), "TIFF", compression="tiff_lzw"))
    )
    decoder = Decoder(desk.settings.model_copy(update={"decode_memory_mb": 900}))
    try:
        assert decoder.convert(good).format == "JPEG"
        with pytest.raises(Retry, match=r"huge\.tif"):
            decoder.convert(huge)
        with pytest.raises(DecoderCrashed, match=r"huge\.tif"):
            decoder.convert(huge, attempt=2)
        assert decoder.convert(good).format == "JPEG"
    finally:
        decoder.close()


def test_the_child_is_replaced_after_many_photos(desk: Desk, decoder: Decoder) -> None:
    tiny = desk.request(desk.write("tiny.png", saved(scene(8, 8), "PNG")))
    pids = {decoder.convert(tiny) and pid_of(decoder) for _ in range(PHOTOS_PER_CHILD + 1)}

    assert len(pids) == 2


def test_verdicts_travel_from_the_child_unchanged(decoder: Decoder, desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match=r"empty\.jpg is empty"):
        decoder.convert(desk.request(desk.write("empty.jpg", b"")))
    away = desk.request(desk.write("a.jpg", b"x")).model_copy(update={"root": claim_of(tmp_path / "away")})
    with pytest.raises(RootOffline) as held:
        decoder.convert(away.model_copy(update={"file_path": claim_of(tmp_path / "away" / "a.jpg")}))
    assert held.value.key == "root:1"


def test_the_roots_of_the_settings_hold_in_the_child(desk: Desk, tmp_path: Path) -> None:
    decoder = Decoder(desk.settings.model_copy(update={"photo_library": str(desk.root)}))
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(saved(scene(), "JPEG"))
    try:
        with pytest.raises(OutsideRoots):
            decoder.convert(desk.request(outside))
    finally:
        decoder.close()


def test_closing_ends_the_child(desk: Desk, good: convert.Request) -> None:
    decoder = Decoder(desk.settings)
    decoder.convert(good)
    child = psutil.Process(pid_of(decoder))
    decoder.close()

    assert not child.is_running()
    assert decoder.child_pid is None


def test_the_child_ends_when_its_parent_is_killed(desk: Desk, good: convert.Request) -> None:
    script = """
        import sys
        from pathlib import Path
        from shared.contracts import convert
        from shared.settings import Settings
        from workers.engines.decoder import Decoder

        decoder = Decoder(Settings(keepers_home=Path(sys.argv[1])))
        decoder.convert(convert.Request.model_validate_json(sys.argv[2]))
        print(decoder.child_pid, flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(desk.settings.keepers_home), good.model_dump_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    with parent:
        assert parent.stdout
        lines = iter(parent.stdout.readline, b"")
        child = psutil.Process(int(next(line for line in lines if line.strip().isdigit())))
        os.kill(child.pid, signal.SIGSTOP)  # so that it cannot notice that its input has ended
        parent.kill()
        gone, _ = psutil.wait_procs([child], timeout=60)

    assert gone


def test_the_stage_answers_with_a_result_or_a_verdict(desk: Desk, good: convert.Request) -> None:
    tools = Tools(desk.settings)
    try:
        answers = stage.handle([good, desk.request(desk.write("empty.jpg", b""))], tools)
    finally:
        tools.close()

    assert isinstance(answers[0], convert.Result)
    assert isinstance(answers[1], CorruptFile)


def test_no_secret_of_the_settings_reaches_the_child() -> None:
    from workers.engines.decode_protocol import settings_line

    line = settings_line(Settings(database_url="postgresql://u:secret@h/d", rabbitmq_url="amqp://u:secret@h"))

    assert "secret" not in line
