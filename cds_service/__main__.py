"""``baclofen-cds``: the command line."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service import clients, store
from cds_service import settings as settings_of
from cds_service.auth import Authenticator
from cds_service.check_config import report
from cds_service.settings import CONFIG, PREFIX, Settings, SettingsError
from cds_service.store.migrating import CURRENT

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse names it only so


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="baclofen-cds", description="CDS Hooks service that checks baclofen orders.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
    except SettingsError as error:
        print(f"baclofen-cds: wrong settings\n{error}", file=sys.stderr)
        return 2
    return code


def _add_serve(commands: Commands) -> None:
    serve = commands.add_parser("serve", help="answer hook calls over HTTP")
    add_settings(serve)
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.add_argument("--workers", type=int, metavar="N")
    serve.set_defaults(run=_serve)


def add_settings(command: argparse.ArgumentParser) -> None:
    """The options of every command that needs settings."""
    command.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the settings")
    command.add_argument(
        "--sandbox", dest="mode", action="store_const", const="sandbox", help="for testing: no client authentication"
    )


def settings_from(given: argparse.Namespace) -> Settings:
    """Raises ``SettingsError``."""
    named = {name: value for name, value in vars(given).items() if name in Settings.model_fields and value is not None}
    return settings_of.load(**named)


def _serve(given: argparse.Namespace) -> int:
    settings = settings_from(given)
    # A wrong client, certificate or database stops the start here, not in each worker.
    Authenticator(settings, clients.load(settings))
    encrypted = _tls(settings)
    store.prepare(settings)
    # Worker processes read the same settings from the environment.
    if given.config:
        os.environ[CONFIG] = str(given.config.resolve())
    for name in ("mode", "host", "port", "workers"):
        os.environ[PREFIX + name.upper()] = str(getattr(settings, name))
    if not settings.hash_key.get_secret_value():
        # One for all workers: what a patient's card was overridden for is then known to each.
        os.environ[f"{PREFIX}HASH_KEY"] = secrets.token_urlsafe(32)
    if settings.sandbox:
        print(
            "baclofen-cds: SANDBOX MODE: any client is answered without authentication. Synthetic patients only.",
            file=sys.stderr,
        )
    shared = tempfile.TemporaryDirectory(prefix="baclofen-cds-workers-") if settings.workers > 1 else nullcontext()
    with shared as folder:
        if folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            if not (settings.state_dir or settings.database):
                os.environ[PREFIX + "STATE_DIR"] = folder
        _run(settings, encrypted)
    return 0


def _tls(settings: Settings) -> dict[str, Any]:
    """For uvicorn; nothing where a proxy ends TLS. Raises ``SettingsError``."""
    from cds_service.listener import tls  # noqa: PLC0415

    if settings.tls_certificate is None or settings.tls_key is None:
        return {}
    try:
        return tls(settings.tls_certificate, settings.tls_key, settings.tls_clients)
    except OSError as error:
        raise SettingsError(
            f"tls_certificate, tls_key, tls_clients: {error.strerror or error}; name PEM files that belong together"
        ) from None


def _run(settings: Settings, encrypted: dict[str, Any]) -> None:
    import uvicorn  # noqa: PLC0415  # the other commands start without a server

    from cds_service.listener import BoundedHttp  # noqa: PLC0415

    uvicorn.run(
        "cds_service.app:from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=BoundedHttp,
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=10,
        **encrypted,
    )


def _add_explain(commands: Commands) -> None:
    explained = commands.add_parser("explain", help="show step by step what a hook request gets, and why")
    add_settings(explained)
    explained.add_argument("request", type=Path, metavar="REQUEST.json", help="a CDS Hooks request, or a captured one")
    explained.add_argument("--json", action="store_true", help="the same as one JSON object")
    explained.set_defaults(run=_explain, mode="sandbox")


def _explain(given: argparse.Namespace) -> int:
    from cds_service.app import wire  # noqa: PLC0415  # the content is loaded only when it is needed
    from cds_service.errors import ServiceError  # noqa: PLC0415
    from cds_service.explain import explain  # noqa: PLC0415

    try:
        text = explain(given.request, wire(settings_from(given)), as_json=given.json)
    except OSError as error:
        print(f"baclofen-cds: cannot read {given.request}: {error.strerror}", file=sys.stderr)
        return 2
    except ServiceError as error:
        print(f"baclofen-cds: the service would answer {error.status}: {error.problem} {error.cure}", file=sys.stderr)
        return 1
    print(text)
    return 0


def _add_check_config(commands: Commands) -> None:
    checked = commands.add_parser(
        "check-config", help="say what is wrong with the settings, or what each client may do"
    )
    add_settings(checked)
    checked.set_defaults(run=_check_config)


def _check_config(given: argparse.Namespace) -> int:
    settings = settings_from(given)
    known = clients.load(settings)
    Authenticator(settings, known)
    _tls(settings)
    print(report(settings, known))
    return 0


def _add_migrate(commands: Commands) -> None:
    migrated = commands.add_parser("migrate", help="make the tables of the database, or bring them up to date")
    add_settings(migrated)
    migrated.set_defaults(run=_migrate)


def _migrate(given: argparse.Namespace) -> int:
    store.migrate(settings_from(given))
    print(f"baclofen-cds: the database has the tables of version {CURRENT}")
    return 0


def _add_content(commands: Commands) -> None:
    content = commands.add_parser("content", help="the clinical content, as one document to review")
    add_settings(content)
    kind = content.add_mutually_exclusive_group()
    kind.add_argument(
        "--unversioned",
        action="store_true",
        help="without the content version, which changes with every file: for docs/clinical-content.md",
    )
    kind.add_argument("--fhir", type=Path, metavar="DIR", help="write it as FHIR R4 resources into this folder instead")
    content.set_defaults(run=_content, mode="sandbox")


def _content(given: argparse.Namespace) -> int:
    from cards.catalogue import Catalogue  # noqa: PLC0415  # the content is loaded only when it is needed
    from cds_service.clinical_content.document import clinical_document  # noqa: PLC0415
    from cds_service.clinical_content.fhir import write  # noqa: PLC0415

    if not given.fhir:
        print(clinical_document(Catalogue.load(), versioned=not given.unversioned), end="")
        return 0
    settings = settings_from(given)
    try:
        written = write(given.fhir, Catalogue.load(), snomed=settings.snomed, dmd=settings.dmd)
    except OSError as error:
        print(f"baclofen-cds: cannot write to {given.fhir}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"baclofen-cds: {written} resources in {given.fhir}")
    return 0


def _add_report(commands: Commands) -> None:
    reported = commands.add_parser("report", help="figures: what was advised, and what became of it")
    add_settings(reported)
    reported.add_argument("--since", metavar="DAY", help="first day, YYYY-MM-DD (the Monday twelve weeks ago)")
    reported.add_argument("--until", metavar="DAY", help="last day (today)")
    reported.add_argument("--client", metavar="NAME", help="of this client (all)")
    reported.add_argument("--hook", choices=("order-sign", "order-select"), help="calls of this hook (order-sign)")
    reported.add_argument("--format", choices=("text", "csv", "json", "html"), default="text")
    reported.set_defaults(run=_report)


def _report(given: argparse.Namespace) -> int:
    from cds_service.insights.command import run  # noqa: PLC0415  # the content is loaded only when it is needed

    return run(given, settings_from(given))


def _add_replay(commands: Commands) -> None:
    replayed = commands.add_parser("replay", help="say what the rules would have said of the orders in a FHIR export")
    add_settings(replayed)
    replayed.add_argument("export", type=Path, metavar="DIR", help="folder with the NDJSON files of a Bulk FHIR export")
    replayed.add_argument("--out", type=Path, default=Path("replay"), metavar="DIR", help="for the results (replay)")
    how = replayed.add_mutually_exclusive_group()
    how.add_argument("--processes", type=int, default=1, metavar="N", help="on this machine (1)")
    how.add_argument("--ray", metavar="ADDRESS", help='on a Ray cluster, or "local" for one of this machine')
    replayed.add_argument("--client", metavar="NAME", help="with the rules that are off or silent for this client")
    replayed.set_defaults(run=_replay, mode="sandbox")


def _replay(given: argparse.Namespace) -> int:
    from cds_service.replay.command import run  # noqa: PLC0415  # the content is loaded only when it is needed

    return run(given, settings_from(given))


def _add_purge(commands: Commands) -> None:
    purged = commands.add_parser("purge", help="delete what is older than audit_days, as the service does every day")
    add_settings(purged)
    purged.add_argument("--days", dest="audit_days", type=int, metavar="N", help="instead of the setting audit_days")
    purged.set_defaults(run=_purge)


def _purge(given: argparse.Namespace) -> int:
    from cds_service.audit.command import purge  # noqa: PLC0415  # the other commands need no database

    return purge(settings_from(given))


def _add_export(commands: Commands) -> None:
    exported = commands.add_parser("export", help="what was advised and what became of it, as NDJSON")
    add_settings(exported)
    exported.add_argument("--since", metavar="DATE", help="YYYY-MM-DD or a whole moment with its zone; else everything")
    exported.add_argument("--until", metavar="DATE", help="up to this moment, itself left out")
    exported.add_argument(
        "--format", required=True, choices=("audit-event", "guidance-response", "comments"),
        help="FHIR R4 AuditEvent or GuidanceResponse, one for each call; or the comments of prescribers, decrypted",
    )  # fmt: skip
    exported.add_argument("--out", type=Path, metavar="FILE", help="else standard output")
    exported.set_defaults(run=_export)


def _export(given: argparse.Namespace) -> int:
    from cds_service.audit.command import export  # noqa: PLC0415  # as in _purge

    return export(settings_from(given), given.format, given.since, given.until, given.out)


COMMANDS: tuple[Callable[[Commands], None], ...] = (
    _add_serve,
    _add_explain,
    _add_content,
    _add_check_config,
    _add_migrate,
    _add_report,
    _add_replay,
    _add_purge,
    _add_export,
)
"""One function for each command: it adds a parser whose default ``run`` takes the parsed arguments."""

if __name__ == "__main__":
    sys.exit(main())
