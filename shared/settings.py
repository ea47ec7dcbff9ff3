"""Settings of both services, read once from the environment by `__main__` (`shared.wrong_settings`) and passed on."""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from shared.bucket_address import BucketAddress, address, is_address
from shared.errors import KeepersError

STARTER_MODEL = "starter"
CLIP_MODEL = "clip"
FROM_FILES = ("database_url", "rabbitmq_url", "keepers_password", "llm_api_key", "aws_secret_access_key")
_SECRET = {*(name.upper() for name in FROM_FILES), *(f"{name.upper()}_FILE" for name in FROM_FILES)}
_SECRET |= {"LOCAL_TOKEN", "METRICS_TOKEN"}


def default_home() -> Path:
    """`~/.keepers`; for root, `/var/lib/keepers`."""
    return Path("/var/lib/keepers") if os.geteuid() == 0 else Path.home() / ".keepers"


def environment_without_secrets() -> dict[str, str]:
    """This process's environment, for one that is not to be trusted with keys. What is AWS's may be one by any name."""
    return {name: value for name, value in os.environ.items() if name not in _SECRET and not name.startswith("AWS_")}


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets whose `<NAME>_FILE` names a file that holds them, as container platforms hand secrets over."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:
        """(what the file holds, the field's name, whether that is JSON). Raises KeepersError."""
        name = field_name.upper()
        file = os.environ.get(f"{name}_FILE") if field_name in FROM_FILES else None
        if not file:
            return None, field_name, False
        if os.environ.get(name):
            raise KeepersError(f"Both {name} and {name}_FILE are set. Unset one of them.")
        try:
            return Path(file).read_text().strip(), field_name, False
        except (OSError, UnicodeDecodeError) as exc:
            raise KeepersError(f"{name}_FILE names {file}, which cannot be read: {exc}.") from exc

    def __call__(self) -> dict[str, Any]:  # Any: as pydantic-settings wants it
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value}


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, allow_inf_nan=False)

    keepers_home: Path = Field(default_factory=default_home)
    database_url: str | None = None
    rabbitmq_url: str | None = None
    topology_prefix: str = "keepers.v1"
    retry_delays_ms: Annotated[tuple[Annotated[int, Field(ge=1)], ...], NoDecode] = Field(
        default=(5_000, 30_000, 300_000), min_length=1
    )
    photo_library: str | None = None
    photo_libraries: str | None = None  # colon-separated; a bucket is s3://bucket/folder
    claims_url: str | None = None  # s3://bucket/prefix for derived files; None: the folder KEEPERS_HOME/claims
    claims_timeout_seconds: float = Field(default=20, gt=0)  # of one request to the object store
    aws_endpoint_url: str | None = None  # None: Amazon's own
    aws_access_key_id: str | None = None  # None: what the machine is allowed by itself
    aws_secret_access_key: SecretStr | None = None
    aws_region: str = "us-east-1"
    opened_folder: Path | None = None  # named on the command line by the person, wherever it lies
    opened_bucket: str | None = None  # the same, where it is a bucket

    allowed_hosts: str | None = None  # comma-separated names that pages may be opened under, beside localhost

    keepers_password: SecretStr | None = None  # None: the one that `keepers password` stored, if any
    trusted_network: bool = False  # only this machine, or a proxy that asks for a password itself, reaches the port
    local_token: SecretStr | None = None  # of `keepers up`, for its own commands
    metrics_token: SecretStr | None = None  # of a scraper on another machine

    convert_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    max_megapixels: int = Field(default=250, ge=1)
    raw_render: Literal["embedded", "demosaic"] = "embedded"
    renditions_max_gb: float = Field(default=10, ge=0)  # kept of photos in more pixels; 0: only what is in use
    decode_seconds: float = Field(default=120, gt=0)
    decode_memory_mb: int = Field(default=4096, ge=1)
    clip_model_name: str = "ViT-L-14"
    clip_pretrained: str = "laion2b_s32b_b82k"
    clip_device: str = "auto"
    fetch_clip: bool = False  # at the start of the orchestrator, when it is not here
    hf_endpoint: str = "https://huggingface.co"  # where `keepers models fetch` downloads from

    llm_base_url: str | None = None  # None: the person named no endpoint
    llm_default_base_url: str = "http://localhost:11434/v1/"  # where Ollama listens
    llm_api_key: SecretStr | None = None
    llm_model: str = "llava"
    llm_timeout_seconds: float = Field(default=300, gt=0, le=400)  # of one call; an attempt has three at most
    curate_concurrency: int = Field(default=1, ge=1)

    watch_settle_seconds: float = Field(default=2, gt=0)  # a file is taken when it has not changed for so long
    watch_poll_seconds: float = Field(default=30, gt=0)  # between two looks at a folder that cannot be watched
    sidecar_delay_seconds: float = Field(default=5, ge=0)  # from a decision until it is written into a sidecar

    backup_folder: Path | None = None  # None: KEEPERS_HOME/backups
    backup_every_hours: float = Field(default=24, ge=0)  # 0: none by itself

    taste_window_seconds: float = Field(default=300, ge=0)  # one training of the taste in it, unless one is asked for
    probe_seconds: float = Field(default=5, ge=0)  # until the first look whether what was down is back; doubles
    worker_heartbeat: Path | None = None  # a file in which the supervisor of workers says how they are
    log_format: Literal["text", "json"] = "text"
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=1, le=65_535)  # of workers; the orchestrator has its own port

    @field_validator("retry_delays_ms", mode="before")
    @classmethod
    def _is_json(cls, delays: object) -> object:
        return json.loads(delays) if isinstance(delays, str) else delays

    @field_validator("database_url", "rabbitmq_url")
    @classmethod
    def _can_be_taken_apart(cls, url: str | None, info: ValidationInfo) -> str | None:
        try:
            _ = urlsplit(url or "").port
        except ValueError:  # it repeats a part of the password, as would whoever took the address
            name = str(info.field_name).upper()
            raise KeepersError(
                f"{name} is no address. In a password / is written %2F, # %23, ? %3F and @ %40."
            ) from None
        return url

    @field_validator("claims_url")
    @classmethod
    def _is_a_bucket(cls, url: str | None) -> str | None:
        return str(_address("CLAIMS_URL", url)) if url else None

    @field_validator("photo_library", "photo_libraries")
    @classmethod
    def _are_places(cls, named: str | None, info: ValidationInfo) -> str | None:
        setting = str(info.field_name).upper()
        if named and "@" in (start := re.search(r"s3://[^/]*", named) or [""])[0]:
            _address(setting, start[0])
        for one in filter(is_address, _split(named)):
            _address(setting, one)
        return named

    @field_validator("aws_endpoint_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url and "@" in url:  # it is shown where something goes wrong, as here
            raise KeepersError("AWS_ENDPOINT_URL has a name or a password in it. Set AWS_ACCESS_KEY_ID and its secret.")
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
            raise KeepersError(f"AWS_ENDPOINT_URL is {url!r}. Write it as http://host:port or https://host.")
        return url or None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @property
    def claims_folder(self) -> Path:
        return self.keepers_home / "claims"

    @property
    def cache_folder(self) -> Path:
        """What one machine needs for a moment. May be emptied while nothing runs."""
        return self.keepers_home / "cache"

    @property
    def decisions_file(self) -> Path:
        return self.keepers_home / "decisions.jsonl"

    @property
    def models_folder(self) -> Path:
        return self.keepers_home / "models"

    @property
    def originals_folder(self) -> Path:
        """Where originals out of a bucket lie while they are decoded."""
        return self.cache_folder / "originals"

    @property
    def library_roots(self) -> tuple[Path, ...] | None:
        """The only folders that may be read, or None when the person set no place at all."""
        named = self._libraries
        roots = tuple(Path(name).expanduser() for name in named if not is_address(name))
        return (*roots, self.opened_folder) if named and self.opened_folder else roots if named else None

    @property
    def library_buckets(self) -> tuple[BucketAddress, ...] | None:
        """The only buckets, or folders in them, that may be read, or None when the person set no place at all."""
        named = self._libraries
        buckets = tuple(address(name) for name in named if is_address(name))
        opened = (address(self.opened_bucket),) if self.opened_bucket else ()
        return (*buckets, *opened) if named else None

    @property
    def _libraries(self) -> tuple[str, ...]:
        return (*_split(self.photo_library), *_split(self.photo_libraries))

    @property
    def host_names(self) -> frozenset[str]:
        """`allowed_hosts` as names, lower case, without ports."""
        return frozenset(name.strip().lower() for name in (self.allowed_hosts or "").split(",") if name.strip())


def _split(libraries: str | None) -> list[str]:
    """At the colons of a list, not at that of `s3://`."""
    return [one for one in re.split(r":(?!//)", libraries or "") if one]


def _address(setting: str, url: str) -> BucketAddress:
    try:
        return address(url)
    except KeepersError as exc:
        raise KeepersError(f"{setting} cannot be used. {exc.message}") from None
