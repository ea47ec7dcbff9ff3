"""docker-compose.yml and the images, held against the code that they run."""

import ast
import contextlib
import importlib.metadata
import re
import shlex
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.test.compose_file import COMPOSE_FILE, PROJECT, NotSet, load, variables
from orchestrator.__main__ import parser as keepers_parser
from orchestrator.commands.serve import STOP_SECONDS
from shared.settings import Settings
from shared.topology import ONE_AT_A_TIME
from workers.__main__ import ALL_STAGES
from workers.__main__ import parser as worker_parser
from workers.supervisor import DRAIN_SECONDS

REQUIRED = {"RABBITMQ_PASSWORD": "broker-secret", "POSTGRES_PASSWORD": "database-secret", "PHOTO_LIBRARY": "/my/photos"}
OURS = ("orchestrator", "worker", "embed", "taste")
WORKERS = ("worker", "embed", "taste")
DOCKERFILES = ("deploy/orchestrator.Dockerfile", "deploy/worker.Dockerfile")
_PROJECT_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = {"": _PROJECT_TABLE["dependencies"], **_PROJECT_TABLE["optional-dependencies"]}
DISTRIBUTIONS = importlib.metadata.packages_distributions()
NOT_FOR_IMAGES = ("orchestrator/samples/", "orchestrator/embedded/lan.py")  # `keepers samples`, `keepers up --lan`

# What a person sets for `keepers up`, and what the containers have otherwise.
SET_BY_COMPOSE = {"KEEPERS_HOME", "DATABASE_URL", "RABBITMQ_URL", "PHOTO_LIBRARY", "PHOTO_LIBRARIES", "BACKUP_FOLDER"}
SET_BY_COMPOSE |= {"TRUSTED_NETWORK", "METRICS_HOST", "METRICS_PORT"}
SET_BY_THE_IMAGE = {"WORKER_HEARTBEAT"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return load(REQUIRED)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    return found


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """(COPY, its arguments) and so on, with continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (PROJECT / dockerfile).read_text())
    lines = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in lines]


def said(dockerfile: str, instruction: str) -> list[str]:
    return [rest for word, rest in instructions(dockerfile) if word == instruction]


def settings_named(service: dict[str, Any]) -> set[str]:
    return set(service["environment"]) - {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PGDATA"}


@pytest.mark.parametrize("name", REQUIRED)
def test_without_an_env_file_compose_says_what_to_type(name: str) -> None:
    with pytest.raises(NotSet, match=rf"{name} is missing a value: .*make compose"):
        load({key: value for key, value in REQUIRED.items() if key != name})


def test_the_orchestrator_is_run_by_a_command_that_there_is(services: dict[str, Any]) -> None:
    options = keepers_parser().parse_args(services["orchestrator"]["command"])
    _, _, inside = services["orchestrator"]["ports"][0].rpartition(":")
    assert (options.host, options.port) == ("0.0.0.0", int(inside))


def test_every_stage_has_one_service_that_works_on_it(services: dict[str, Any]) -> None:
    worked_on = [stage for name in WORKERS for stage in worker_parser().parse_args(services[name]["command"]).stages]
    assert sorted(worked_on) == sorted(ALL_STAGES)


def test_only_the_service_for_more_workers_is_meant_to_be_scaled(services: dict[str, Any]) -> None:
    assert load({**REQUIRED, "WORKERS": "3"})["services"]["worker"]["deploy"]["replicas"] == "3"
    assert not set(services["worker"]["command"]) & {*ONE_AT_A_TIME, "embed"}, "N workers would be N copies of CLIP"
    assert not any("container_name" in service for service in services.values())


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_a_service_is_one_of_ours(name: str, services: dict[str, Any]) -> None:
    known = {field.upper() for field in Settings.model_fields}
    assert settings_named(services[name]) <= known


def test_every_setting_that_a_person_has_reaches_a_service(services: dict[str, Any]) -> None:
    example = set(re.findall(r"^# (\w+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    settings = {field.upper() for field in Settings.model_fields} & example
    reached = set.union(*(settings_named(services[name]) for name in OURS))
    assert settings - SET_BY_COMPOSE - SET_BY_THE_IMAGE <= reached


def test_what_a_person_sets_arrives(services: dict[str, Any]) -> None:
    env = {name: f"my-{name}" for name in variables()} | REQUIRED
    for name in OURS:
        for setting, value in load(env)["services"][name]["environment"].items():
            if setting in env and setting not in SET_BY_COMPOSE:
                assert f"my-{setting}" in value, f"{name}: {setting}"


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text()
    for name in variables():
        assert re.search(rf"^# {name}=", example, re.MULTILINE), name


def test_the_services_find_each_other(compose: dict[str, Any], services: dict[str, Any]) -> None:
    for name in OURS:
        assert services[name]["environment"]["RABBITMQ_URL"] == "amqp://keepers:broker-secret@rabbitmq:5672/keepers"
    database = "postgresql://keepers:database-secret@postgres:5432/keepers"
    assert services["orchestrator"]["environment"]["DATABASE_URL"] == database
    assert not any("DATABASE_URL" in services[name]["environment"] for name in WORKERS), "workers have no database"
    for service in services.values():
        assert set(service.get("depends_on", [])) <= set(services)
        assert {volume.partition(":")[0] for volume in named_volumes(service)} <= set(compose["volumes"])


def named_volumes(service: dict[str, Any]) -> list[str]:
    return [one for one in service.get("volumes", []) if isinstance(one, str) and not one.startswith(".")]


def test_only_the_page_is_published_and_only_on_this_machine(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert {name for name in published if "profiles" not in services[name]} == {"orchestrator"}
    for port in (port for ports in published.values() for port in ports):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)
    assert not any("network_mode" in service for service in services.values())


def test_everything_is_started_again_checked_and_bounded(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert re.fullmatch(r"\d+[gm]", service["mem_limit"]), name
        assert "healthcheck" in service or name in OURS, f"{name}: the images of Keepers bring their own"


def test_what_works_is_given_the_time_to_end(services: dict[str, Any]) -> None:
    for name in WORKERS:
        assert seconds(services[name]["stop_grace_period"]) >= DRAIN_SECONDS + 5
    assert seconds(services["orchestrator"]["stop_grace_period"]) >= STOP_SECONDS + 5


def test_photographs_can_only_be_read(services: dict[str, Any]) -> None:
    libraries = [one for service in services.values() for one in service.get("volumes", []) if isinstance(one, dict)]
    assert len(libraries) == 2
    for library in libraries:
        assert (library["source"], library["read_only"]) == ("/my/photos", True)
        assert library["target"].startswith(services["worker"]["environment"]["PHOTO_LIBRARIES"] + "/")
        assert library["bind"] == {"create_host_path": False}, "a folder that is not there is an error"


def test_every_file_that_is_mounted_is_there(services: dict[str, Any]) -> None:
    mounted = [one for service in services.values() for one in service.get("volumes", []) if isinstance(one, str)]
    files = [one.partition(":")[0] for one in mounted if one.startswith("./")]
    assert files
    for file in files:
        assert (PROJECT / file).exists(), file


def test_what_outlives_a_down_lies_where_the_services_write(services: dict[str, Any]) -> None:
    kept = {name: [one.split(":")[1] for one in named_volumes(service)] for name, service in services.items()}
    home = services["worker"]["environment"]["KEEPERS_HOME"]
    assert all(home in kept[name] for name in OURS)
    assert f"{home}/models" in kept["orchestrator"], "it fetches the models"
    assert f"{home}/models" in kept["embed"], "it uses them"
    assert Path(services["postgres"]["environment"]["PGDATA"]).parent == Path(kept["postgres"][0])
    assert services["rabbitmq"]["hostname"], "its data lies below the name of its node"


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_what_an_image_copies_is_there_and_reaches_its_build(dockerfile: str) -> None:
    let_in = re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.MULTILINE)
    for arguments in said(dockerfile, "COPY"):
        *sources, _target = arguments.split()
        if not sources[0].startswith("--from"):
            assert all((PROJECT / source).exists() for source in sources)
            assert set(sources) <= set(let_in)


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_an_image_runs_as_a_plain_user_and_ends_in_order(dockerfile: str) -> None:
    assert said(dockerfile, "USER") == ["10001:10001"]
    assert said(dockerfile, "STOPSIGNAL") == ["SIGTERM"]
    assert len(said(dockerfile, "HEALTHCHECK")) == 1
    scripts = re.findall(r"^([\w-]+) = \"", (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert said(dockerfile, "ENTRYPOINT")[0].strip('[]"') in scripts


def test_the_workers_of_the_image_are_checked_by_the_file_that_they_write() -> None:
    dockerfile = "deploy/worker.Dockerfile"
    environment = dict(one.split("=", 1) for line in said(dockerfile, "ENV") for one in shlex.split(line))
    assert "worker_heartbeat" in Settings.model_fields
    assert Path(environment["WORKER_HEARTBEAT"]).is_absolute()
    assert worker_parser().parse_args(["--check"]).check
    assert said(dockerfile, "HEALTHCHECK")[0].endswith('CMD ["keepers-worker", "--check"]')


def test_the_orchestrator_has_no_torch_and_the_workers_have_it_for_the_cpu() -> None:
    (orchestrator,) = [one for one in said(DOCKERFILES[0], "RUN") if "requirements.py" in one]
    (worker,) = [one for one in said(DOCKERFILES[1], "RUN") if "requirements.py" in one]
    assert "requirements.py orchestrator objects >" in orchestrator
    assert "requirements.py workers embed objects >" in worker
    assert any(arg.startswith("TORCH_INDEX_URL=") and arg.endswith("/cpu") for arg in said(DOCKERFILES[1], "ARG"))


@pytest.mark.parametrize(("dockerfile", "packages"), [(DOCKERFILES[0], "orchestrator"), (DOCKERFILES[1], "workers")])
def test_an_image_has_every_package_that_its_code_imports(dockerfile: str, packages: str) -> None:
    (install,) = [one for one in said(dockerfile, "RUN") if "requirements.py" in one]
    extras = re.findall(r"requirements\.py ([\w ]+) >", install)[0].split()
    installed = with_all_they_need(REQUIREMENTS[extra] for extra in ("", *extras))
    files = [*(PROJECT / "shared").rglob("*.py"), *(PROJECT / packages).rglob("*.py")]
    for file in files:
        if not str(file.relative_to(PROJECT)).startswith(NOT_FOR_IMAGES):
            missing = {name for name in imported(file) if not {canonical(one) for one in brought_by(name)} & installed}
            assert not missing, f"{file.relative_to(PROJECT)} imports {missing}"


def imported(file: Path) -> set[str]:
    """The packages of others that a module imports, at its top or later."""
    tree = ast.parse(file.read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    own = {"shared", "orchestrator", "workers"}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - own


def brought_by(module: str) -> list[str]:
    return DISTRIBUTIONS.get(module, [])


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", name)[0]).lower()


def with_all_they_need(requirements: Iterable[list[str]]) -> set[str]:
    """What pip would install for them here. Extras of a package that a requirement does not name are left out."""
    found: set[str] = set()
    waiting = [one for several in requirements for one in several]
    while waiting:
        requirement = waiting.pop()
        if (name := canonical(requirement)) not in found and "extra ==" not in requirement:
            found.add(name)
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # of another platform
                waiting += importlib.metadata.requires(name) or []
    return found


def test_prometheus_asks_where_the_services_answer(compose: dict[str, Any], services: dict[str, Any]) -> None:
    asked = yaml.safe_load((PROJECT / "deploy/metrics/prometheus.yml").read_text())["scrape_configs"]
    found = {name: one["port"] for job in asked for one in job["dns_sd_configs"] for name in one["names"]}
    metrics = {name: int(services[name]["environment"]["METRICS_PORT"]) for name in WORKERS}
    assert found == metrics | {"orchestrator": int(services["orchestrator"]["ports"][0].rpartition(":")[2])}
    (token,) = services["prometheus"]["configs"]
    assert token["target"] in [job["authorization"]["credentials_file"] for job in asked if "authorization" in job]
    assert load({**REQUIRED, "METRICS_TOKEN": "seen"})["configs"][token["source"]]["content"] == "seen"


def test_the_compose_file_builds_what_it_runs(services: dict[str, Any]) -> None:
    for name in OURS:
        build = services[name]["build"]
        assert (PROJECT / build["context"] / build["dockerfile"]).exists()
        assert set(build.get("args", {})) <= {arg.partition("=")[0] for arg in said(build["dockerfile"], "ARG")}
        image = "keepers-orchestrator" if name == "orchestrator" else "keepers-worker"
        assert services[name]["image"] == f"{image}:local"
    assert COMPOSE_FILE.exists()
