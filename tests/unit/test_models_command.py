"""`keepers models list` and `keepers models fetch clip`, against a host of model files on loopback."""

import io
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedding.command import UnknownModel, fetch, list_models
from orchestrator.embedding.download import DownloadFailed, NoConnection
from orchestrator.embedding.fetching import NotFetchable, clip_source, fetch_clip, fetch_plan
from shared.embedding_models import clip_folder, clip_is_fetched
from shared.settings import Settings
from tests.doubles.model_host import ModelHost, serving

WEIGHTS = bytes(range(256)) * 8192  # 2 MiB
NAME = "open_clip_model.safetensors"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def host() -> Iterator[ModelHost]:
    with serving(ModelHost(files={NAME: WEIGHTS})) as running:
        yield running


def settings(tmp_path: Path, host: ModelHost | None = None, **chosen: str) -> Settings:
    return Settings(keepers_home=tmp_path, hf_endpoint=host.url if host else "http://127.0.0.1:9", **chosen)


def ignore(done_bytes: int, total_bytes: int) -> None:
    """A report that nobody reads."""


def fetched(chosen: Settings) -> Path:
    return fetch_clip(chosen, ignore, pause_seconds=0)


def test_fetch_says_what_it_costs_shows_progress_and_puts_the_weights_in_place(tmp_path: Path, host: ModelHost) -> None:
    chosen, out = settings(tmp_path, host), io.StringIO()
    weights = fetch(chosen, "clip", photos=14_000, out=out)
    assert weights.read_bytes() == WEIGHTS
    assert clip_is_fetched(chosen)
    first, *progress, last = out.getvalue().splitlines()
    assert first.startswith("CLIP: 1.7 GB, about")
    assert "for your 14,000 photos on this CPU" in first
    assert progress[-1].startswith("2 of 2 MB")
    assert last == f"CLIP is ready: {weights}"
    assert host.asked == [f"/laion/CLIP-ViT-L-14-laion2B-s32B-b82K/resolve/main/{NAME}"]


def test_a_terminal_gets_one_line_that_is_rewritten(tmp_path: Path, host: ModelHost) -> None:
    out = Terminal()
    fetch(settings(tmp_path, host), "clip", out=out)
    assert "\r[########################] 2 of 2 MB" in out.getvalue()


def test_fetching_again_downloads_nothing(tmp_path: Path, host: ModelHost) -> None:
    chosen = settings(tmp_path, host)
    assert fetched(chosen) == fetched(chosen)
    assert len(host.asked) == 1


def test_a_broken_line_goes_on_where_it_broke(tmp_path: Path, host: ModelHost) -> None:
    host.cuts = [500_000, 600_000]
    assert fetched(settings(tmp_path, host)).read_bytes() == WEIGHTS
    assert host.ranges == [None, "bytes=500000-", "bytes=1100000-"]


def test_a_fetch_that_was_ended_goes_on_when_it_is_typed_again(tmp_path: Path, host: ModelHost) -> None:
    chosen = settings(tmp_path, host)
    host.cuts = [700_000, 0, 0, 0]
    with pytest.raises(NoConnection, match=r"1 MB are kept"):
        fetched(chosen)
    assert not clip_is_fetched(chosen)
    assert fetched(chosen).read_bytes() == WEIGHTS
    assert host.ranges[-1] == "bytes=700000-"


def test_a_server_that_cannot_resume_sends_all_of_it_again(tmp_path: Path, host: ModelHost) -> None:
    host.cuts, host.resumes = [500_000], False
    assert fetched(settings(tmp_path, host)).read_bytes() == WEIGHTS


def test_a_busy_server_is_asked_again(tmp_path: Path, host: ModelHost) -> None:
    host.statuses = [503, 429]
    assert fetched(settings(tmp_path, host)).read_bytes() == WEIGHTS


def test_a_part_that_was_complete_is_taken(tmp_path: Path, host: ModelHost) -> None:
    chosen = settings(tmp_path, host)
    clip_folder(chosen).mkdir(parents=True)
    (clip_folder(chosen) / f"{NAME}.part").write_bytes(WEIGHTS)
    assert fetched(chosen).read_bytes() == WEIGHTS


def test_damaged_bytes_are_noticed_and_removed(tmp_path: Path, host: ModelHost) -> None:
    chosen = settings(tmp_path, host)
    host.digest = "0" * 64
    with pytest.raises(DownloadFailed, match="damaged"):
        fetched(chosen)
    assert list(clip_folder(chosen).iterdir()) == []


def test_the_other_file_name_is_tried_where_the_first_is_missing(tmp_path: Path, host: ModelHost) -> None:
    host.files = {"open_clip_pytorch_model.bin": WEIGHTS}
    chosen = settings(tmp_path, host)
    assert fetched(chosen).name == "open_clip_pytorch_model.bin"
    assert [path.name for path in clip_folder(chosen).iterdir()] == ["open_clip_pytorch_model.bin"]


def test_a_host_without_the_model_is_said(tmp_path: Path, host: ModelHost) -> None:
    host.files = {}
    with pytest.raises(NotFetchable, match="has none of"):
        fetched(settings(tmp_path, host))


def test_a_refusal_is_not_asked_again(tmp_path: Path, host: ModelHost) -> None:
    host.statuses = [403, 403]
    with pytest.raises(DownloadFailed, match="403"):
        fetched(settings(tmp_path, host))
    assert host.statuses == [403]


def test_without_a_connection_the_sentence_says_how_to_do_without(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    chosen = Settings(keepers_home=tmp_path, hf_endpoint=f"http://127.0.0.1:{port}")
    with pytest.raises(NoConnection) as failed:
        fetched(chosen)
    assert "CLIP_PRETRAINED" in failed.value.message
    assert str(clip_folder(chosen) / NAME) in failed.value.message


def test_a_file_named_by_the_person_needs_no_fetching(tmp_path: Path, host: ModelHost) -> None:
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(WEIGHTS)
    assert fetched(settings(tmp_path, host, clip_pretrained=str(mine))) == mine
    assert host.asked == []


def test_a_named_file_that_is_missing_is_not_replaced_by_a_download(tmp_path: Path, host: ModelHost) -> None:
    with pytest.raises(NotFetchable, match=r"gone\.safetensors"):
        fetched(settings(tmp_path, host, clip_pretrained=str(tmp_path / "gone.safetensors")))


def test_other_weights_are_not_guessed_at(tmp_path: Path, host: ModelHost) -> None:
    with pytest.raises(NotFetchable, match="CLIP_PRETRAINED="):
        fetched(settings(tmp_path, host, clip_pretrained="datacomp_xl_s13b_b90k"))


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="'clop'"):
        fetch(settings(tmp_path), "clop", out=io.StringIO())


def test_the_list_tells_what_is_ready_and_what_to_type(tmp_path: Path) -> None:
    chosen, out = settings(tmp_path), io.StringIO()
    list_models(chosen, photos=2_000, out=out)
    _, starter, clip = out.getvalue().splitlines()
    assert starter.split()[:3] == ["starter", "starter:efficientnet-lite0-1", "ready,"]
    assert clip.split()[:2] == ["clip", "clip:ViT-L-14/laion2b_s32b_b82k"]
    assert "keepers models fetch clip" in clip
    clip_folder(chosen).mkdir(parents=True)
    (clip_folder(chosen) / NAME).write_bytes(WEIGHTS)
    list_models(chosen, out=(after := io.StringIO()))
    assert "ready" in after.getvalue().splitlines()[2]


@pytest.mark.parametrize(
    ("photos", "cores", "said"),
    [
        (14_000, 2, "1.7 GB, about 4 h for your 14,000 photos on this CPU"),
        (100, 8, "1.7 GB, about 1 min for your 100 photos on this CPU"),
        (0, 2, "1.7 GB, about 18 min for every 1,000 photos on this CPU"),
    ],
)
def test_the_estimate_is_what_a_person_would_say(tmp_path: Path, photos: int, cores: int, said: str) -> None:
    assert fetch_plan(settings(tmp_path), photos, cores) == said


def test_the_default_host_is_where_the_weights_are_published(tmp_path: Path) -> None:
    assert clip_source(Settings(keepers_home=tmp_path)).repository.startswith("laion/")
    assert Settings(keepers_home=tmp_path).hf_endpoint.startswith("https://")
