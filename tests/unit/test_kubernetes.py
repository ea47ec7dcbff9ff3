"""The Kubernetes manifests, held against the published schemas and against the code that they run."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from pydantic import ValidationError

from orchestrator import health
from orchestrator.__main__ import parser as keepers_parser
from orchestrator.commands.serve import STOP_SECONDS
from shared.settings import Settings
from shared.topology import ONE_AT_A_TIME, topology
from tests import custom_resources
from tests.manifests import BASE, GPU, MANIFESTS, NAME, Manifest, container_of, kustomization, named, pod_of, rendered
from workers.__main__ import ALL_STAGES
from workers.__main__ import parser as worker_parser
from workers.stage import load
from workers.supervisor import DRAIN_SECONDS

REPOSITORY = MANIFESTS.parents[1]
OLDEST, NEWEST = "1.30", "1.37"
OVERLAYS = (BASE, GPU)
ORCHESTRATOR = "keepers-orchestrator"
BROKER = "keepers-broker"
OF_THE_OPERATOR = f"{BROKER}-default-user"  # the Secret that the RabbitMQ Cluster Operator makes
ITS_KEYS = {"connection_string", "username", "password"}
OURS = "keepers-secrets"


@pytest.fixture(params=OVERLAYS, ids=lambda folder: folder.name)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return rendered(request.param)


@pytest.fixture
def deployments(manifests: list[Manifest]) -> dict[str, Manifest]:
    return named(manifests, "Deployment")


@pytest.fixture
def workers(deployments: dict[str, Manifest]) -> dict[str, Manifest]:
    """By stage."""
    return {
        stage: one for name, one in deployments.items() if name != ORCHESTRATOR for stage in container_of(one)["args"]
    }


def settings_of(manifests: list[Manifest], deployment: Manifest) -> dict[str, str]:
    """The environment of its container; secrets have no value here."""
    container, maps = container_of(deployment), named(manifests, "ConfigMap")
    given: dict[str, str] = {}
    for source in container["envFrom"]:
        given |= maps[source["configMapRef"]["name"]]["data"]
    return given | {one["name"]: one.get("value", "") for one in container.get("env", [])}


def references(manifest: Any, key: str) -> list[Any]:  # Any: YAML
    """All values of this key, at whatever depth."""
    if isinstance(manifest, list):
        return [found for one in manifest for found in references(one, key)]
    if not isinstance(manifest, dict):
        return []
    here = [manifest[key]] if key in manifest else []
    return here + [found for value in manifest.values() for found in references(value, key)]


def check(manifest: Manifest, version: str) -> None:
    if custom_resources.is_custom(manifest):
        custom_resources.check(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize(("folder", "version"), [(BASE, OLDEST), (GPU, NEWEST)])
def test_every_resource_fits_its_schema(folder: Path, version: str) -> None:
    for manifest in rendered(folder):
        check(manifest, version)


@pytest.mark.parametrize("kind", ["Deployment", "NetworkPolicy", "ScaledObject", "RabbitmqCluster"])
def test_a_field_that_there_is_not_is_noticed(kind: str) -> None:
    manifest = deepcopy(next(iter(named(rendered(BASE), kind).values())))
    manifest["spec"]["terminationGraceSeconds"] = 5
    with pytest.raises((kubernetes_validate.ValidationError, ValidationError)):
        check(manifest, NEWEST)


def test_every_file_is_used_and_every_file_that_is_named_is_there() -> None:
    used: set[Path] = set()
    for folder in OVERLAYS:
        wish = kustomization(folder)
        used |= {(folder / name).resolve() for name in (*wish.resources, *(patch.path for patch in wish.patches), NAME)}
    there = {*MANIFESTS.rglob("*.yaml"), BASE}
    assert used == there


def test_no_resource_is_there_twice(manifests: list[Manifest]) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests]
    assert len(names) == len(set(names))


def test_the_orchestrator_is_run_by_a_command_that_there_is(deployments: dict[str, Manifest]) -> None:
    container = container_of(deployments[ORCHESTRATOR])
    options = keepers_parser().parse_args(container["args"])
    assert (options.host, [options.port]) == ("0.0.0.0", [port["containerPort"] for port in container["ports"]])
    assert deployments[ORCHESTRATOR]["spec"]["replicas"] == 2


def test_every_stage_has_a_deployment_of_its_own(
    deployments: dict[str, Manifest], workers: dict[str, Manifest]
) -> None:
    assert set(workers) == set(ALL_STAGES)
    assert len(deployments) == len(ALL_STAGES) + 1
    for stage, deployment in workers.items():
        assert worker_parser().parse_args(container_of(deployment)["args"]).stages == [stage]
        assert deployment["metadata"]["labels"]["keepers/stage"] == stage
        assert "replicas" not in deployment["spec"], "the scaler has a say in this alone"


def test_selectors_choose_the_pods_that_they_mean(manifests: list[Manifest], deployments: dict[str, Manifest]) -> None:
    for deployment in deployments.values():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in deployments.values()]
    pods.append({"app.kubernetes.io/name": BROKER})  # as the operator labels its own
    (service,) = named(manifests, "Service").values()
    assert sum(service["spec"]["selector"].items() <= labels.items() for labels in pods) == 1
    for selector in references(manifests, "matchLabels"):
        outside = "kubernetes.io/metadata.name" in selector  # a namespace
        assert outside or any(selector.items() <= labels.items() for labels in pods), selector


def test_each_stage_is_scaled_by_its_own_queues(manifests: list[Manifest], workers: dict[str, Manifest]) -> None:
    names = topology(Settings.model_fields["topology_prefix"].default, ALL_STAGES, (5_000,))
    scalers = {one["spec"]["scaleTargetRef"]["name"]: one["spec"] for one in named(manifests, "ScaledObject").values()}
    assert set(scalers) == {workers[stage]["metadata"]["name"] for stage in ALL_STAGES}
    for stage in ALL_STAGES:
        scaler = scalers[workers[stage]["metadata"]["name"]]
        queues = {trigger["metadata"]["queueName"] for trigger in scaler["triggers"]}
        assert queues == {names.stage_queue(stage), names.urgent_queue(stage)}
        if stage in {*ONE_AT_A_TIME, "curate"}:
            assert scaler["maxReplicaCount"] == 1
    assert {scalers[f"keepers-{stage}"]["minReplicaCount"] for stage in ("convert", "render")} == {1}


def test_a_busy_pod_holds_more_than_the_share_at_which_another_is_added(
    manifests: list[Manifest], workers: dict[str, Manifest]
) -> None:
    for stage, processes, batch in (("convert", 2, 1), ("embed", 1, 16)):
        assert int(settings_of(manifests, workers[stage]).get("CONVERT_WORKERS", 1)) == processes
        share = {int(one["metadata"]["value"]) for one in scaler_of(manifests, stage)["triggers"]}
        assert max(share) * 1.1 < processes * batch  # Kubernetes overlooks a tenth


def scaler_of(manifests: list[Manifest], stage: str) -> Manifest:
    spec: Manifest = named(manifests, "ScaledObject")[f"keepers-{stage}"]["spec"]
    return spec


def test_every_setting_is_one_of_ours(manifests: list[Manifest], deployments: dict[str, Manifest]) -> None:
    known = {field.upper() for field in Settings.model_fields}
    for deployment in deployments.values():
        assert set(settings_of(manifests, deployment)) <= known
    assert "DATABASE_URL" not in settings_of(manifests, deployments["keepers-convert"]), "workers have no database"


def test_the_settings_are_ones_that_keepers_takes(
    manifests: list[Manifest], deployments: dict[str, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    for deployment in deployments.values():
        for name, value in settings_of(manifests, deployment).items():
            monkeypatch.setenv(name, value)
        settings = Settings()
        assert settings.claims_url is not None, "pods share no disk: what they make is in the bucket"
        assert settings.metrics_port in {port for port in references(rendered(BASE), "port") if isinstance(port, int)}


def test_every_secret_is_one_that_is_said_how_to_make(manifests: list[Manifest]) -> None:
    described = (REPOSITORY / "docs" / "operations.md").read_text()
    used = [(one["name"], one["key"]) for one in references(manifests, "secretKeyRef")]
    used += [(one["name"], one["key"]) for found in references(manifests, "secretTargetRef") for one in found]
    assert {name for name, _ in used} == {OURS, OF_THE_OPERATOR}
    assert {key for name, key in used if name == OF_THE_OPERATOR} <= ITS_KEYS
    for key in {key for name, key in used if name == OURS}:
        assert f"--from-literal={key}=" in described, key
    assert not named(manifests, "Secret"), "no secret is in a file"


def test_what_a_pod_refers_to_is_there(manifests: list[Manifest], deployments: dict[str, Manifest]) -> None:
    claims, maps = named(manifests, "PersistentVolumeClaim"), named(manifests, "ConfigMap")
    for deployment in deployments.values():
        pod = pod_of(deployment)
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container_of(deployment)["volumeMounts"]} == volumes
        assert {one["claimName"] for one in references(pod, "persistentVolumeClaim")} <= set(claims)
        assert {one["name"] for one in references(pod, "configMapRef")} <= set(maps)


def test_photographs_can_only_be_read(manifests: list[Manifest], deployments: dict[str, Manifest]) -> None:
    settings = Settings(photo_libraries=settings_of(manifests, deployments[ORCHESTRATOR])["PHOTO_LIBRARIES"])
    (library,) = settings.library_roots or ()
    readers = set()
    for name, deployment in deployments.items():
        for mount in container_of(deployment)["volumeMounts"]:
            if mount["name"] == "photos":
                readers.add(name)
                assert (mount["mountPath"], mount["readOnly"]) == (str(library), True)
    assert readers == {ORCHESTRATOR, "keepers-convert", "keepers-render"}


def test_paths_users_and_names_are_those_of_the_images(
    manifests: list[Manifest], deployments: dict[str, Manifest]
) -> None:
    for name, deployment in deployments.items():
        dockerfile = "orchestrator" if name == ORCHESTRATOR else "worker"
        text = (REPOSITORY / "deploy" / f"{dockerfile}.Dockerfile").read_text()
        assert container_of(deployment)["image"] in (f"keepers-{dockerfile}", "keepers-worker-cuda")
        assert f"USER {pod_of(deployment)['securityContext']['runAsUser']}:" in text
        home = settings_of(manifests, deployment)["KEEPERS_HOME"]
        assert f"KEEPERS_HOME={home}" in text
        assert home in {mount["mountPath"] for mount in container_of(deployment)["volumeMounts"]}


def test_pods_may_do_no_more_than_they_must(deployments: dict[str, Manifest]) -> None:
    for deployment in deployments.values():
        pod, container = pod_of(deployment), container_of(deployment)
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} <= set(container["resources"])


def test_what_works_is_given_the_time_to_end(deployments: dict[str, Manifest], workers: dict[str, Manifest]) -> None:
    for deployment in workers.values():
        assert pod_of(deployment)["terminationGracePeriodSeconds"] >= DRAIN_SECONDS + 5
    orchestrator = deployments[ORCHESTRATOR]
    word, pause = container_of(orchestrator)["lifecycle"]["preStop"]["exec"]["command"]
    assert word == "sleep"
    assert pod_of(orchestrator)["terminationGracePeriodSeconds"] >= int(pause) + STOP_SECONDS + 5


def test_the_broker_waits_longer_for_an_answer_than_any_stage_may_take() -> None:
    cluster = named(rendered(BASE), "RabbitmqCluster")[BROKER]
    waits_ms = re.search(r"consumer_timeout = (\d+)", cluster["spec"]["rabbitmq"]["additionalConfig"])
    assert waits_ms is not None
    assert int(waits_ms[1]) > 1_000 * max(load(stage, "workers.stages").deadline_seconds for stage in ALL_STAGES)


def test_probes_ask_what_there_is(deployments: dict[str, Manifest], workers: dict[str, Manifest]) -> None:
    paths = {route.path for route in health.router.routes if hasattr(route, "path")}
    container = container_of(deployments[ORCHESTRATOR])
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in paths
        assert container[probe]["httpGet"]["port"] in {port["name"] for port in container["ports"]}
    for deployment in workers.values():
        program, *arguments = container_of(deployment)["livenessProbe"]["exec"]["command"]
        assert program == "keepers-worker"
        assert worker_parser().parse_args(arguments).check


def ports_of(deployment: Manifest) -> set[int]:
    return {port["containerPort"] for port in container_of(deployment)["ports"]}


def test_the_network_lets_through_what_is_spoken(manifests: list[Manifest], deployments: dict[str, Manifest]) -> None:
    policies = {name: one["spec"] for name, one in named(manifests, "NetworkPolicy").items()}
    let_in = {name: set(references(one.get("ingress"), "port")) for name, one in policies.items()}
    assert let_in["pages"] == ports_of(deployments[ORCHESTRATOR])
    assert let_in["worker-metrics"] == ports_of(deployments["keepers-embed"])
    assert {5672, 15672, 25672, 4369} <= let_in["broker"]
    assert "ingress" not in policies["nobody-unasked"]
    (shut_in,) = policies["workers-stay-inside"]["podSelector"]["matchExpressions"]
    assert set(shut_in["values"]) == set(ALL_STAGES) - {"curate"}


def test_embedding_runs_where_a_gpu_is() -> None:
    on_cpu, on_gpu = named(rendered(BASE), "Deployment"), named(rendered(GPU), "Deployment")
    pod, container = pod_of(on_gpu["keepers-embed"]), container_of(on_gpu["keepers-embed"])
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert [one["key"] for one in pod["tolerations"]] == ["nvidia.com/gpu"]
    assert settings_of(rendered(GPU), on_gpu["keepers-embed"])["CLIP_DEVICE"] == "cuda"
    assert container["image"] == "keepers-worker-cuda"
    assert "CUDA=1" in (GPU / NAME).read_text()
    assert "ARG CUDA=" in (REPOSITORY / "deploy" / "worker.Dockerfile").read_text()
    assert {name for name in on_gpu if on_gpu[name] != on_cpu[name]} == {"keepers-embed"}


def test_names_of_images_are_those_that_kustomize_tags() -> None:
    tagged = {image.name for folder in OVERLAYS for image in kustomization(folder).images}
    assert {container_of(one)["image"] for one in named(rendered(GPU), "Deployment").values()} == tagged
