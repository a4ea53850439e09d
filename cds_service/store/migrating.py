"""The versions of the schema: which one a database has, whether this release can work with it, and the way there."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from cds_service.settings import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine

VERSIONS = ("0001",)
"""Every revision in ``migrations``, oldest first. This release works with the last one only."""
CURRENT = VERSIONS[-1]


class Standing(Enum):
    EMPTY = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()


def standing(version: str | None) -> Standing:
    """``version`` as the database has it; None: it has none."""
    if version is None:
        return Standing.EMPTY
    if version == CURRENT:
        return Standing.CURRENT
    return Standing.OLDER if version in VERSIONS else Standing.NEWER


def refuse_unless_current(version: str | None) -> None:
    """Raises ``SettingsError``."""
    match standing(version):
        case Standing.EMPTY:
            raise SettingsError(
                "database: it has no tables yet; make them with: baclofen-cds migrate (with the same settings)"
            )
        case Standing.OLDER:
            raise SettingsError(
                f"database: its tables are those of an older release (version {version}, needed is {CURRENT}); make a "
                "backup, then run: baclofen-cds migrate (with the same settings)"
            )
        case Standing.NEWER:
            raise newer()
        case Standing.CURRENT:
            pass


def newer() -> SettingsError:
    return SettingsError(
        f"database: its tables are those of a newer release than this one (which needs version {CURRENT}); install "
        "that release, or name another database, or restore the backup that was made before the upgrade"
    )


def upgrade(engine: Engine) -> None:
    """To the version of this release, in one transaction; others who try at the same time wait and find it done.
    Raises the errors of the database's own driver."""
    from alembic import command  # noqa: PLC0415  # a start that finds all as it should be does not need it
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "cds_service.store:migrations")
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('baclofen-cds migrate'))")
            config.attributes["connection"] = connection
            command.upgrade(config, CURRENT)
    except DBAPIError as error:
        raise error.orig or error from None
    finally:
        engine.dispose()
