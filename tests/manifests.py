"""The Kubernetes manifests as `kubectl kustomize` would print them, for the simple ways in which ours use kustomize."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

MANIFESTS = Path(__file__).parents[1] / "deploy" / "kubernetes"
BASE, GPU = MANIFESTS / "base", MANIFESTS / "overlays" / "gpu"
NAME = "kustomization.yaml"
_MERGED_BY = ("name", "mountPath")  # the key of a list whose entries are merged one by one

Manifest = dict[str, Any]  # Any: YAML


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Target(_Strict):
    kind: str
    labelSelector: str


class _Patch(_Strict):
    path: str
    target: _Target | None = None


class _Image(_Strict):
    name: str
    newTag: str


class Kustomization(_Strict):
    """As much of it as we use."""

    apiVersion: str
    kind: str
    namespace: str
    resources: list[str]
    patches: list[_Patch] = []
    images: list[_Image] = []


def kustomization(folder: Path) -> Kustomization:
    return Kustomization.model_validate(yaml.safe_load((folder / NAME).read_text()))


def rendered(folder: Path) -> list[Manifest]:
    """Everything that would be applied."""
    wish = kustomization(folder)
    found = [one for name in wish.resources for one in _resources((folder / name).resolve())]
    for patch in wish.patches:
        (change,) = _documents(folder / patch.path)
        patched = [one for one in found if _is_meant(one, patch, change)]
        assert patched, f"{patch.path} changes nothing"
        for one in patched:
            _merge(one, {key: value for key, value in change.items() if key != "metadata"})
    for one in found:
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = wish.namespace
    return found


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Those of a kind, by name."""
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def pod_of(deployment: Manifest) -> Manifest:
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


def container_of(deployment: Manifest) -> Manifest:
    (container,) = pod_of(deployment)["containers"]
    found: Manifest = container
    return found


def _resources(path: Path) -> Iterator[Manifest]:
    yield from rendered(path) if path.is_dir() else _documents(path)


def _documents(path: Path) -> list[Manifest]:
    return [deepcopy(one) for one in yaml.safe_load_all(path.read_text())]  # anchors would share what is patched


def _is_meant(one: Manifest, patch: _Patch, change: Manifest) -> bool:
    if patch.target is None:
        return (one["kind"], one["metadata"]["name"]) == (change["kind"], change["metadata"]["name"])
    key, _, value = patch.target.labelSelector.partition("=")
    return one["kind"] == patch.target.kind and one["metadata"].get("labels", {}).get(key) == value


def _merge(into: Manifest, change: Mapping[str, Any]) -> None:
    """A strategic merge: lists of named things are merged by those names, all else is replaced."""
    for key, value in deepcopy(dict(change)).items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif isinstance(value, list) and into.get(key) and (by := _key_of(value)):
            into[key] = _merged(into[key], value, by)
        else:
            into[key] = value


def _merged(old: list[Manifest], new: list[Manifest], by: str) -> list[Manifest]:
    known = {one[by]: one for one in old}
    for change in new:
        if change[by] in known:
            _merge(known[change[by]], change)
    return [*old, *(change for change in new if change[by] not in known)]


def _key_of(entries: list[Any]) -> str | None:  # Any: YAML
    """What its entries are merged by. Two mounts may be of one volume: those are told apart by where they are."""
    keys = [key for key in reversed(_MERGED_BY) if all(isinstance(one, dict) and key in one for one in entries)]
    return keys[0] if keys else None
