"""CDS Clients: the EHRs that may call this service. One named profile each, in a table ``[clients.NAME]``.

A profile binds what must not be mixed up: who signs (``issuers``, ``tenants``), with which keys, for which address, and
what the client is given (dialect, rules, limits). It holds no secret: keys are public ones. Everything is checked at
start, and everything that is wrong is said at once, each with file, table and cure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cards.triage import DATA_CARDS, ORDER
from cds_service import settings as settings_of
from cds_service.client_values import ALL, READERS, USUAL_ALGORITHMS, Origin, WrongError
from cds_service.dialects import Dialect
from cds_service.settings import Key, Settings, SettingsError
from cds_service.store import TokenUse

TEST_CLIENTS = Path(__file__).parent / "test_clients" / "clients.toml"
"""Clients whose private keys are public: anybody can be them. Known in sandbox mode only."""


@dataclass(frozen=True, slots=True)
class CdsClient:
    """One client, and all that it may do. The names of the fields are the keys of its table."""

    name: str
    issuers: tuple[str, ...]
    """Values of ``iss``."""
    jwks_file: Path | None = None
    keys: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """The JSON Web Keys of ``jwks_file``, as written there: ``auth`` makes keys of them."""
    jku: tuple[str, ...] = ()
    """Addresses of JWK Sets; fetched from nowhere else."""
    algorithms: frozenset[str] = USUAL_ALGORITHMS
    tenants: frozenset[str] = frozenset()
    """Values of ``tenant``; any or none when empty."""
    audiences: frozenset[str] = frozenset()
    """Values of ``aud`` beside the URL that is called."""
    reuses_tokens: bool = False
    """One token for several calls, as test kits have it: replay is then not noticed."""
    fhir_servers: tuple[str, ...] = ()
    """Bases from which this client's calls may name data."""
    origins: frozenset[str] = frozenset()
    """Origins of browser pages (CORS)."""
    dialect: Dialect = Dialect.GENERIC
    key_aliases: Mapping[str, Key] = field(default_factory=dict)
    rules_off: frozenset[str] = frozenset()
    """Not asked."""
    rules_silent: frozenset[str] = frozenset()
    """Assessed, not shown."""
    insights: bool = False
    """May read the figures of every client."""
    calls_at_once: int = 32
    """In one worker."""
    calls_per_minute: int = 6000
    """In one worker."""


ANYBODY = CdsClient("anybody", ())
"""Who sends no token, in sandbox mode."""


class Caller(NamedTuple):
    """Who makes one call."""

    client: CdsClient
    tenant: str = ""
    """As the token says it."""
    use: TokenUse | None = None
    """Of its token, which no other call may use; None: without a token, or with one that may be used again."""


def load(settings: Settings) -> tuple[CdsClient, ...]:
    """Every client of the settings and, in sandbox mode, the public test clients. Raises ``SettingsError``."""
    problems: list[str] = []
    found = [client for origin, tables in _tables(settings, problems) for client in _clients(origin, tables, problems)]
    problems += _conflicts(found)
    if problems:
        raise SettingsError("\n".join(problems))
    if settings.sandbox:
        known = {issuer for client in found for issuer in client.issuers}
        found += [one for one in _clients(*_file(TEST_CLIENTS, sandbox=True), []) if known.isdisjoint(one.issuers)]
    return tuple(found)


# ----------------------------------------------------------------------------------------------------- where they stand

_Tables = tuple[Origin, Mapping[str, Any]]


def _tables(settings: Settings, problems: list[str]) -> Iterator[_Tables]:
    if settings.clients:
        yield _origin_of_settings(settings), settings.clients
    if settings.clients_file:
        try:
            yield _file(settings.clients_file, settings.sandbox)
        except SettingsError as error:
            problems.append(str(error))


def _origin_of_settings(settings: Settings) -> Origin:
    if settings.config is None or settings_of.in_environment("clients"):
        return Origin(settings_of.PREFIX + "CLIENTS", Path.cwd(), settings.sandbox)
    return Origin(str(settings.config), settings.config.resolve().parent, settings.sandbox)


def _file(path: Path, sandbox: bool) -> _Tables:
    whole = settings_of.toml(path, "clients_file")
    tables = whole.pop("clients", {})
    if whole or not isinstance(tables, dict):
        other = ", ".join(whole) or "clients"
        raise SettingsError(f"{path}: {other}: a clients file holds tables [clients.NAME] only; move or correct it")
    return Origin(str(path), path.resolve().parent, sandbox), tables


def _clients(origin: Origin, tables: Mapping[str, Any], problems: list[str]) -> list[CdsClient]:
    read = [_client(name, table, origin, problems) for name, table in tables.items()]
    return [client for client in read if client is not None]


# ---------------------------------------------------------------------------------------------------------- one profile

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def _client(name: str, table: Any, origin: Origin, problems: list[str]) -> CdsClient | None:
    at = f"{origin.said} [clients.{name}]"
    if not _NAME.fullmatch(name) or name == ANYBODY.name:
        problems.append(f"{at}: is no name for a client; use up to 40 lower-case letters, digits and hyphens")
    if not isinstance(table, dict):
        problems.append(f"{at}: is not a table; write its keys under [clients.{name}]")
        return None
    read: dict[str, Any] = {}
    wrong = []
    for key, value in table.items():
        if key not in READERS:
            wrong.append(f"{at} {key}: no such key; the keys are {', '.join(READERS)}")
            continue
        reader, must_be = READERS[key]
        try:
            read[key] = reader(value, origin)
        except WrongError as error:
            wrong.append(f"{at} {key}: {error}; set {must_be}")
    wrong += [f"{at} {problem}" for problem in _incomplete(table, read)]
    problems += wrong
    if wrong:
        return None
    if "jwks_file" in read:
        read["jwks_file"], read["keys"] = read["jwks_file"]
    return CdsClient(name=name, **read)


def _incomplete(table: Mapping[str, Any], read: Mapping[str, Any]) -> Iterable[str]:
    if "issuers" not in table:
        yield f"has no issuers; set {READERS['issuers'][1]}"
    if "jwks_file" not in table and "jku" not in table:
        yield f"has no keys; set jwks_file to {READERS['jwks_file'][1]}, or jku to {READERS['jku'][1]}, or both"
    both = read.get("rules_off", frozenset()) & read.get("rules_silent", frozenset())
    if both and table["rules_silent"] != ALL:
        yield f"rules_silent: {', '.join(sorted(both))} is off already; name each rule once"
    silent = read.get("rules_silent", frozenset())
    shown = set(ORDER) - DATA_CARDS - silent - read.get("rules_off", frozenset())
    if shown and (hidden := sorted(silent & DATA_CARDS)):
        yield (
            f"rules_silent: {', '.join(hidden)}: what could not be checked is said as long as any rule is shown, since "
            'silence would read as safe; take it out, or set rules_silent = "all"'
        )


def _conflicts(clients: Sequence[CdsClient]) -> Iterable[str]:
    """Two profiles for one token would leave open which one holds."""
    seen: dict[str, CdsClient] = {}
    taken: dict[str, list[CdsClient]] = {}
    for client in clients:
        if client.name in seen:
            yield f"[clients.{client.name}]: there are two of this name, in the settings file and in clients_file"
        seen[client.name] = client
        for issuer in client.issuers:
            for other in taken.setdefault(issuer, []):
                if not (client.tenants and other.tenants and client.tenants.isdisjoint(other.tenants)):
                    yield (
                        f"[clients.{client.name}] issuers: {issuer} is an issuer of [clients.{other.name}] too; name "
                        "each issuer once, or give both clients tenants that differ"
                    )
            taken[issuer].append(client)
