"""The service's settings: environment variables ``BACLOFEN_CDS_*``, or one TOML file with the same names in lower case.

The command line stands above the environment, the environment above the file. Everything is checked at start; an
unknown name is an error, since a misspelt safety setting must not pass unnoticed.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "BACLOFEN_CDS_"
CONFIG = PREFIX + "CONFIG"
"""Names the TOML file, for worker processes and containers."""

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
    key_aliases: dict[str, Key] = Field(
        {}, description="prefetch key as the EHR sends it = one of the keys that GET /cds-services lists"
    )

    @field_validator("public_base_url")
    @classmethod
    def _absolute(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
            raise ValueError("is not an absolute http or https URL")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.mode == "production":
            raise ValueError(
                "this release has no client authentication yet, so it does not start in production mode; "
                "for testing with synthetic patients start it with --sandbox, or set BACLOFEN_CDS_MODE=sandbox"
            )
        return self

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
    environment = {name.upper() for name in os.environ if name.upper().startswith(PREFIX)}
    if config is None and (named := os.environ.get(CONFIG)):
        config = Path(named)
    _refuse_unknown(environment - {CONFIG})
    from_file = {} if config is None else _read(config)
    from_file = {name: value for name, value in from_file.items() if PREFIX + name.upper() not in environment}
    try:
        return Settings(**{**from_file, **given})
    except ValidationError as error:
        raise SettingsError("\n".join(_said(problem) for problem in error.errors(include_input=False))) from None


def _refuse_unknown(names: set[str]) -> None:
    unknown = sorted(name for name in names if name.removeprefix(PREFIX).lower() not in Settings.model_fields)
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no such setting; the settings are {_names()}")


def _read(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{config}: cannot be read ({error}); name an existing TOML file with --config") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{config}: {error}; correct the TOML") from None


def _said(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return str(message)
    name = str(problem["loc"][0])
    if name not in Settings.model_fields:
        return f"{name}: no such setting; the settings are {_names()}"
    return f"{name} ({PREFIX}{name.upper()}): {message}; set {Settings.model_fields[name].description}"


def _names() -> str:
    return ", ".join(Settings.model_fields)
