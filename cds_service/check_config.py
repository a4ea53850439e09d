"""``baclofen-cds check-config``: what the settings allow, in words that a security review can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cards.triage import ORDER
from cds_service.clients import CdsClient
from cds_service.dialects import Dialect
from cds_service.settings import Settings
from cds_service.store import FILE

_DIALECTS = {
    Dialect.GENERIC: "cards with suggestions, as CDS Hooks 2.0.1 has them",
    Dialect.EPIC: "cards with suggestions that Epic can apply: one action each, no change of an order",
    Dialect.INFO_ONLY: "cards in words only, without suggestions",
}


def report(settings: Settings, clients: Sequence[CdsClient]) -> str:
    """One paragraph for the service, one for each client."""
    return "\n\n".join(["\n".join(_service(settings)), *("\n".join(_client(one, settings)) for one in clients)])


def _service(settings: Settings) -> Iterator[str]:
    yield f"{settings.mode} mode on {settings.host} port {settings.port}, {settings.workers} worker(s)"
    if settings.sandbox:
        yield from _line("WARNING", "anybody is answered without a token. Synthetic patients only")
    yield from _line("public address", settings.public_base_url or "not set")
    yield from _line("TLS", _tls(settings))
    yield from _line("discovery", "with a token only" if settings.protect_discovery else "open to anybody")
    yield from _line("records in", _records(settings))
    yield from _line("while it fails", f"up to {settings.spool_bytes} bytes for each worker in {_spool(settings)}")
    if settings.today:
        yield from _line("today", f"{settings.today}, whatever the clock says")


def _records(settings: Settings) -> str:
    """The database, without whatever else is in its address."""
    address = urlsplit(settings.database)
    match address.scheme:
        case "postgresql":
            return f"PostgreSQL, database {address.path[1:]} at {address.hostname or 'a socket of this machine'}"
        case "sqlite":
            return f"SQLite, {address.path[1:]}"
        case _ if settings.state_dir:
            return f"SQLite, {settings.state_dir / FILE}"
        case _:
            return "a temporary SQLite file, gone with the process"


def _spool(settings: Settings) -> str:
    if settings.state_dir:
        return str(settings.state_dir)
    path = urlsplit(settings.database).path[1:]
    return str(Path(path).parent) if path else "a temporary folder"


def _tls(settings: Settings) -> str:
    if settings.tls_certificate is None:
        return "ended by a proxy; this service speaks HTTP"
    return f"here, by {settings.tls_certificate}{'; callers need a certificate' if settings.tls_clients else ''}"


def _client(client: CdsClient, settings: Settings) -> Iterator[str]:
    yield f"{client.name} may call order-sign and order-select"
    yield from _line("issuer", *client.issuers)
    in_file = [f"{key.get('kid')} ({key.get('kty')}) in {client.jwks_file}" for key in client.keys]
    yield from _line("keys", *in_file, *(f"fetched from {url}" for url in client.jku))
    yield from _line("algorithms", ", ".join(sorted(client.algorithms)))
    yield from _line("audience", "the URL that is called", *(f"or {one}" for one in sorted(client.audiences)))
    yield from _line("tenants", *(sorted(client.tenants) or ["any"]))
    yield from _line("each token", "any number of calls: REPLAY IS NOT NOTICED" if client.reuses_tokens else "one call")
    yield from _line("FHIR servers", *(client.fhir_servers or ["none"]))
    yield from _line("browser pages", *(sorted(client.origins) or ["none"]))
    yield from _line("gets", f"{client.dialect.value}: {_DIALECTS[client.dialect]}")
    aliases = {**settings.aliases, **client.key_aliases}
    yield from _line(
        "prefetch keys", *([f"{theirs} is {ours}" for theirs, ours in sorted(aliases.items())] or ["ours"])
    )
    yield from _line("rules off", *(sorted(client.rules_off) or ["none"]))
    silent = ["ALL: NOTHING IS SHOWN"] if client.rules_silent >= frozenset(ORDER) else sorted(client.rules_silent)
    yield from _line("rules silent", *(silent or ["none"]))
    yield from _line("figures", "OF EVERY CLIENT, at /insights" if client.insights else "none")
    yield from _line("in one worker", f"{client.calls_at_once} calls at once, {client.calls_per_minute} a minute")


def _line(name: str, *said: str) -> Iterator[str]:
    for heading, text in zip([name, *[""] * len(said)], said, strict=False):
        yield f"  {heading:<14} {text}"
