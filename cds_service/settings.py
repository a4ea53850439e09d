"""The service's settings: environment variables ``BACLOFEN_CDS_*``, or one TOML file with the same names in lower case.

The command line stands above the environment, the environment above the file. Everything is checked at start; an
unknown name is an error, since a misspelt safety setting must not pass unnoticed.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, FilePath, IPvAnyNetwork, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableVariable

from cards.facts import Jurisdiction

PREFIX = "BACLOFEN_CDS_"
CONFIG = PREFIX + "CONFIG"
"""Names the TOML file, for worker processes and containers."""

SECRETS = frozenset({"hash_key", "comment_key"})
"""In the environment only."""
FILES = ("clients_file", "state_dir", "ca_file", "tls_certificate", "tls_key", "tls_clients")
"""Relative to the settings file, where it names them."""
SHORTEST_KEY = 32

Mode = Literal["production", "sandbox"]
Key = Literal["patient", "kidney", "medications", "conditions", "procedures", "allergies", "observations"]

_SANDBOX_ALIASES: Mapping[str, Key] = {
    "egfr": "kidney", "creatinine": "kidney", "labs": "kidney", "meds": "medications",
}  # fmt: skip


class SettingsError(Exception):
    """The service cannot start with these settings. The message names each one, what is wrong, and the cure."""


class Settings(BaseSettings):
    """Each description says what to set: it is the cure in an error message."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    config: Path | None = Field(None, description="the TOML file with the settings, as --config does")
    mode: Mode = Field("production", description="production, or sandbox for testing with synthetic patients")
    host: str = Field("127.0.0.1", min_length=1, description="the address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="a port from 0 (any free one) to 65535")
    workers: int = Field(1, ge=1, le=64, description="worker processes, 1 to 64; one per core")
    today: date | None = Field(None, description="a date YYYY-MM-DD that stands for today, in sandbox mode only")
    max_body_bytes: int = Field(8 << 20, ge=1 << 16, le=64 << 20, description="65536 to 67108864 bytes")
    body_seconds: float = Field(10, gt=0, le=60, description="seconds in which a request body must arrive, up to 60")
    max_calls: int = Field(64, ge=1, le=10_000, description="calls that one worker takes at the same time")
    public_base_url: str = Field("", description="the URL under which clients reach this service, without a last slash")
    snomed: bool = Field(True, description="true or false: whether this site may use SNOMED CT")
    dmd: bool = Field(True, description="true or false: whether this site may use the NHS dm+d")
    jurisdiction: Jurisdiction = Field(Jurisdiction.US, description="US or FR: whose labels the cards follow")
    protect_discovery: bool = Field(False, description="true or false: whether GET /cds-services needs a token too")
    state_dir: Path | None = Field(
        None, description="a folder of this machine that outlives restarts: the database, and records that wait for it"
    )
    database: str = Field(
        "",
        repr=False,
        description="sqlite:////folder/file or postgresql://user@host/name; without it a SQLite file in state_dir",
    )
    spool_bytes: int = Field(
        32 << 20,
        ge=1 << 20,
        le=16 << 30,
        description="1048576 to 17179869184 bytes that each worker reserves for records which the database cannot take",
    )
    hash_key: SecretStr = Field(
        SecretStr(""),
        description="32 random characters or more, in the environment only; openssl rand -base64 32 makes some",
    )
    audit_days: int = Field(2190, ge=1, le=36_500, description="days for which calls, cards and feedback are kept")
    small_number: int = Field(5, description="reports show no number below it: 3 to 100, or 1 to show all")
    ignored_after_days: int = Field(7, ge=1, le=90, description="days without feedback after which a card was ignored")
    feedback_comments: bool = Field(
        False, description="true or false: whether prescribers' comments are kept, encrypted"
    )
    comment_key: SecretStr = Field(
        SecretStr(""),
        description="32 bytes in URL-safe base64, in the environment only; openssl rand -base64 32 | tr '+/' '-_'",
    )
    traces: bool = Field(False, description="true or false: whether OpenTelemetry spans are sent")
    key_aliases: dict[str, Key] = Field(
        {}, description="prefetch key as the EHR sends it = one of the keys that GET /cds-services lists"
    )

    fhir_seconds: float = Field(0.4, gt=0, le=10, description="seconds until a call is answered with what has come")
    warm_order_sign: bool = Field(
        False, description="true or false: whether order-sign may use what order-select read within two minutes"
    )
    fhir_networks: tuple[IPvAnyNetwork, ...] = Field(
        (), description='private networks in which FHIR servers may be, as ["10.20.0.0/16"]'
    )
    ca_file: FilePath | None = Field(None, description="a PEM file of further authorities of FHIR and key servers")

    tls_certificate: FilePath | None = Field(
        None, description="a PEM file with this service's certificate and its chain"
    )
    tls_key: FilePath | None = Field(None, description="a PEM file with the key of tls_certificate")
    tls_clients: FilePath | None = Field(
        None, description="a PEM file of authorities that callers' certificates are from"
    )

    clients: dict[str, Any] = Field({}, description="a table [clients.NAME] for each CDS Client")
    clients_file: Path | None = Field(None, description="a TOML file with a table [clients.NAME] for each client")

    @field_validator("public_base_url")
    @classmethod
    def _absolute(cls, url: str) -> str:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        if url and (not plain or "@" in parts.netloc):
            raise ValueError("is not an absolute http or https URL")
        return url.rstrip("/")

    @field_validator("small_number")
    @classmethod
    def _hides(cls, number: int) -> int:
        if number != 1 and not 3 <= number <= 100:
            raise ValueError('is neither 1 nor 3 to 100 ("<2" would say that it is one)')
        return number

    @field_validator("hash_key")
    @classmethod
    def _long(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"is shorter than {SHORTEST_KEY} characters")
        return key

    @field_validator("database")
    @classmethod
    def _known_engine(cls, url: str) -> str:
        parts = urlsplit(url)
        is_file = parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 2 and parts.path[:2] == "//"
        is_server = parts.scheme == "postgresql" and parts.path not in ("", "/")
        if url and not (is_file or is_server):
            raise ValueError("is neither an absolute SQLite file nor a PostgreSQL database")
        return url

    @model_validator(mode="after")
    def _with_its_key(self) -> Self:
        if self.feedback_comments and not self.comment_key.get_secret_value():
            raise ValueError(
                "comment_key (BACLOFEN_CDS_COMMENT_KEY): feedback_comments wants comments to be kept, and they are "
                f"kept encrypted only; set {type(self).model_fields['comment_key'].description}"
            )
        return self

    @model_validator(mode="after")
    def _tls_whole(self) -> Self:
        for name, needs in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate"), ("tls_clients", "tls_key")):
            if getattr(self, name) and not getattr(self, needs):
                about = f"{needs} ({PREFIX}{needs.upper()})"
                raise ValueError(f"{about}: {name} needs it; set {type(self).model_fields[needs].description}")
        return self

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.mode == "production" and (problems := list(self._not_fit_for_production())):
            raise ValueError("\n".join(problems))
        return self

    def _not_fit_for_production(self) -> Iterator[str]:
        if not self.clients and not self.clients_file:
            yield (
                "no CDS Client is configured, so nobody could call this service: write a table [clients.NAME] for each "
                "EHR into the settings file, or into a file that clients_file names (docs/integrators.md shows one). "
                "For testing with synthetic patients start it with --sandbox, or set BACLOFEN_CDS_MODE=sandbox"
            )
        if not self.public_base_url.startswith("https://"):
            yield (
                "public_base_url (BACLOFEN_CDS_PUBLIC_BASE_URL): tokens are made for one address, and only https is "
                f"safe; set {type(self).model_fields['public_base_url'].description}, as https://cds.example/baclofen"
            )
        if not self.state_dir and not self.database.startswith("sqlite:"):
            yield (
                "state_dir (BACLOFEN_CDS_STATE_DIR): there is no place to keep what was advised and which tokens were "
                f"used; set {type(self).model_fields['state_dir'].description}"
            )
        if not self.hash_key.get_secret_value():
            yield (
                "hash_key (BACLOFEN_CDS_HASH_KEY): patients and users are written down as keyed hashes only; set "
                f"{type(self).model_fields['hash_key'].description}"
            )
        if self.today:
            yield "today (BACLOFEN_CDS_TODAY): is for sandbox mode only; take it out"

    @property
    def sandbox(self) -> bool:
        return self.mode == "sandbox"

    @property
    def aliases(self) -> Mapping[str, Key]:
        """Prefetch key as sent → our key; in sandbox mode also the keys that common test clients send."""
        return {**(_SANDBOX_ALIASES if self.sandbox else {}), **self.key_aliases}

    @property
    def base_path(self) -> str:
        """Path of ``public_base_url``: "/baclofen", or empty."""
        return urlsplit(self.public_base_url).path


def load(config: Path | None = None, **given: Any) -> Settings:
    """``given`` stands above environment and file. Raises ``SettingsError``."""
    _refuse_unknown({name.upper() for name in os.environ if name.upper().startswith(PREFIX)})
    if config is None and (named := os.environ.get(CONFIG)):
        config = Path(named)
    from_file = {} if config is None else _read(config)
    from_file = {name: value for name, value in from_file.items() if not in_environment(name)}
    try:
        return Settings(**{**from_file, "config": config, **given})
    except UnreadableVariable as error:
        name = str(error).partition('"')[2].partition('"')[0]
        raise SettingsError(f"{name} ({PREFIX}{name.upper()}): is not JSON; set {_description(name)}") from None
    except ValidationError as error:
        raise SettingsError("\n".join(_said(problem) for problem in error.errors(include_input=False))) from None


def _refuse_unknown(names: set[str]) -> None:
    unknown = sorted(name for name in names if name.removeprefix(PREFIX).lower() not in Settings.model_fields)
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no such setting; the settings are {_names()}")


def in_environment(name: str) -> bool:
    """Whether a variable sets ``name``: it then stands above the file."""
    return any(variable.upper() == PREFIX + name.upper() for variable in os.environ)


def _read(config: Path) -> dict[str, Any]:
    settings = toml(config, "--config")
    if "config" in settings:
        raise SettingsError(f"{config}: config: a settings file cannot name another; take it out")
    for name in SECRETS & settings.keys():
        raise SettingsError(f"{config}: {name}: a secret does not stand in a file; set {PREFIX}{name.upper()} instead")
    for name in FILES:
        if isinstance(settings.get(name), str):
            settings[name] = str(config.resolve().parent / settings[name])
    return settings


def toml(path: Path, named_by: str) -> dict[str, Any]:
    """Raises ``SettingsError``."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error}); name an existing TOML file with {named_by}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}; correct the TOML") from None


def _said(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    name = str(problem["loc"][0])
    if name not in Settings.model_fields:
        return f"{name}: no such setting; the settings are {_names()}"
    return f"{name} ({PREFIX}{name.upper()}): {message}; set {_description(name)}"


def _description(name: str) -> str:
    return str(Settings.model_fields[name].description) if name in Settings.model_fields else "a value of its type"


def _names() -> str:
    return ", ".join(Settings.model_fields)
