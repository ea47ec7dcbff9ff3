"""CLIP through the real open_clip, with a tiny random model saved to a file: no weights are downloaded in tests."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from shared.embedding_models import clip_folder, clip_is_fetched, clip_name
from shared.errors import Hold
from shared.settings import Settings
from workers.engines.embedders import Embedders
from workers.engines.torchvision_without_operators import import_torchvision

import_torchvision()
import open_clip  # noqa: E402  # it imports torchvision

TINY = {
    "embed_dim": 768,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 100, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module", autouse=True)
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("configs")
    (folder / "tiny-768.json").write_text(json.dumps(TINY))
    (folder / "tiny-512.json").write_text(json.dumps(TINY | {"embed_dim": 512}))
    open_clip.add_model_config(folder)


def save_weights(model_name: str, path: Path) -> Path:
    torch.manual_seed(5)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(open_clip.create_model(model_name).state_dict(), path)
    return path


def settings(tmp_path: Path, pretrained: str | Path, model: str = "tiny-768", device: str = "cpu") -> Settings:
    return Settings(keepers_home=tmp_path, clip_model_name=model, clip_pretrained=str(pretrained), clip_device=device)


def photos(count: int = 3) -> list[Image.Image]:
    noise = np.random.default_rng(7).integers(0, 255, (count, 60, 90, 3), dtype=np.uint8)
    return [Image.fromarray(pixels) for pixels in noise]


def test_weights_in_a_file_give_unit_vectors(tmp_path: Path) -> None:
    chosen = settings(tmp_path, save_weights("tiny-768", tmp_path / "tiny.safetensors"))
    vectors = Embedders(chosen).get(clip_name(chosen)).embed(photos())
    assert vectors.shape == (3, 768)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert (vectors @ vectors.T)[~np.eye(3, dtype=bool)].max() < 0.9999


def test_the_vectors_are_those_of_open_clip_itself(tmp_path: Path) -> None:
    weights = save_weights("tiny-768", tmp_path / "tiny.safetensors")
    chosen = settings(tmp_path, weights)
    model, preprocess = open_clip.create_model_from_pretrained("tiny-768", pretrained=str(weights))
    with torch.inference_mode():
        expected = model.encode_image(torch.stack([preprocess(photo) for photo in photos()]), normalize=True)
    assert Embedders(chosen).get(clip_name(chosen)).embed(photos()) == pytest.approx(expected.numpy(), abs=1e-5)


def test_a_file_is_normalised_as_the_default_weights_were_trained(tmp_path: Path) -> None:
    """open_clip would give a bare file OpenAI's figures. White and black then would not become 1 and -1."""
    from workers.engines.clip import recipe_of

    assert recipe_of("ViT-L-14", "/models/some.safetensors")["mean"] == (0.5, 0.5, 0.5)
    assert recipe_of("ViT-L/14", "laion2b_s32b_b82k")["mean"] == (0.5, 0.5, 0.5)
    assert recipe_of("ViT-L-14", "openai")["mean"] != (0.5, 0.5, 0.5)


def test_a_pickled_checkpoint_of_plain_tensors_loads(tmp_path: Path) -> None:
    chosen = settings(tmp_path, tmp_path / "tiny.pt")
    torch.save(open_clip.create_model("tiny-768").state_dict(), tmp_path / "tiny.pt")
    assert Embedders(chosen).get(clip_name(chosen)).embed(photos(1)).shape == (1, 768)


def test_a_checkpoint_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (subprocess.getoutput, (f"touch {marker}",))

    torch.save({"state_dict": Payload()}, tmp_path / "bad.pt")
    chosen = settings(tmp_path, tmp_path / "bad.pt")
    with pytest.raises(Hold, match="could not be loaded"):
        Embedders(chosen).get(clip_name(chosen))
    assert not marker.exists()


def test_clip_that_is_not_here_is_held_with_what_to_type(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "laion2b_s32b_b82k", model="ViT-L-14")
    with pytest.raises(Hold, match="keepers models fetch clip") as held:
        Embedders(chosen).get(clip_name(chosen))
    assert held.value.key == "model:clip:ViT-L-14/laion2b_s32b_b82k"


def test_clip_that_was_fetched_is_found_in_the_models_folder(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "any-tag")
    save_weights("tiny-768", clip_folder(chosen) / "open_clip_model.safetensors")
    assert clip_is_fetched(chosen)
    assert Embedders(chosen).get("clip:tiny-768/any-tag").embed(photos(1)).shape == (1, 768)


def test_a_held_model_works_once_its_weights_are_there(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "any-tag")
    embedders = Embedders(chosen)
    with pytest.raises(Hold):
        embedders.get(clip_name(chosen))
    save_weights("tiny-768", clip_folder(chosen) / "open_clip_model.safetensors")
    assert embedders.get(clip_name(chosen)).name == clip_name(chosen)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    chosen = settings(tmp_path, tmp_path / "gone.safetensors")
    assert not clip_is_fetched(chosen)
    with pytest.raises(Hold, match=r"gone\.safetensors"):
        Embedders(chosen).get(clip_name(chosen))


def test_a_truncated_file_is_held_not_crashed_on(tmp_path: Path) -> None:
    weights = save_weights("tiny-768", tmp_path / "tiny.safetensors")
    weights.write_bytes(weights.read_bytes()[:5000])
    chosen = settings(tmp_path, weights)
    with pytest.raises(Hold, match="could not be loaded"):
        Embedders(chosen).get(clip_name(chosen))


def test_a_model_of_another_length_is_held_with_the_model_to_choose(tmp_path: Path) -> None:
    chosen = settings(tmp_path, save_weights("tiny-512", tmp_path / "tiny.safetensors"), model="tiny-512")
    with pytest.raises(Hold, match="CLIP_MODEL_NAME=ViT-L-14"):
        Embedders(chosen).get(clip_name(chosen))


def test_a_device_that_is_not_there_is_held(tmp_path: Path) -> None:
    weights = save_weights("tiny-768", tmp_path / "tiny.safetensors")
    chosen = settings(tmp_path, weights, device="no-such-device")
    with pytest.raises(Hold, match="could not be loaded"):
        Embedders(chosen).get(clip_name(chosen))


def test_other_weights_have_another_stored_name(tmp_path: Path) -> None:
    first = settings(tmp_path, save_weights("tiny-768", tmp_path / "a.safetensors"))
    same = settings(tmp_path, save_weights("tiny-768", tmp_path / "moved.safetensors"))
    other = settings(tmp_path, save_weights("tiny-512", tmp_path / "b.safetensors"))
    assert clip_name(first) == clip_name(same)
    assert clip_name(first) != clip_name(other)
    with pytest.raises(Hold, match="does not know"):
        Embedders(other).get(clip_name(first))


@pytest.mark.parametrize("torchvision", ["as installed", "without operators"])
def test_open_clip_is_imported_in_a_fresh_process_with_either_torchvision(torchvision: str) -> None:
    """Where the installed torch and torchvision fit each other, the misfit is made."""
    misfit = (
        "import torch; real = torch.library.register_fake\n"
        "def absent(name, *rest, **options):\n"
        "    def refuse(description): raise RuntimeError(f'operator {name} does not exist')\n"
        "    return refuse if name.startswith('torchvision::') else real(name, *rest, **options)\n"
        "torch.library.register_fake = absent\n"
    )
    program = (
        misfit if torchvision == "without operators" else ""
    ) + "import workers.engines.clip, open_clip; print('imported')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "imported\n", done.stderr


def test_another_failure_of_torchvision_is_not_hidden() -> None:
    program = (
        "import torch\n"
        "def broken(name, *rest, **options):\n"
        "    def refuse(description): raise RuntimeError('something else')\n"
        "    return refuse\n"
        "torch.library.register_fake = broken\n"
        "import workers.engines.clip\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RuntimeError: something else" in done.stderr
