"""The values of a client's table, each read strictly: what is wrong is said, and what to set instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from cards.triage import DATA_CARDS, ORDER
from cds_service.dialects import Dialect
from cds_service.settings import Key

USUAL_ALGORITHMS = frozenset({"ES384", "RS384"})
"""What CDS Hooks recommends. ES256 and RS256 are accepted of a client that lists them."""
ALGORITHMS = USUAL_ALGORITHMS | {"ES256", "RS256"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table stands."""

    said: str
    """The file, or the environment variable."""
    folder: Path
    """Paths are relative to it."""
    sandbox: bool


class WrongError(ValueError):
    """What is wrong with a value; never the value itself when it could be long."""


_LONGEST = 512


def _texts(value: Any, _: Origin) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise WrongError("is not a list with at least one text")
    for text in value:
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST or not text.isprintable() or text != text.strip():
            raise WrongError(f"has an entry that is not a text of 1 to {_LONGEST} characters without blanks around it")
    if len(set(value)) != len(value):
        raise WrongError("has an entry twice")
    return tuple(value)


def _text_set(value: Any, origin: Origin) -> frozenset[str]:
    return frozenset(_texts(value, origin))


def _jwks(value: Any, origin: Origin) -> tuple[Path, tuple[Mapping[str, Any], ...]]:
    if not isinstance(value, str) or not value:
        raise WrongError("is not a path")
    path = origin.folder / value
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise WrongError(f"{path} is not JSON") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise WrongError(f'{path} has no "keys"')
    return path, tuple(keys)


def _urls(value: Any, origin: Origin) -> tuple[str, ...]:
    for url in _texts(value, origin):
        _check_url(url, origin.sandbox)
    return tuple(value)


def _bases(value: Any, origin: Origin) -> tuple[str, ...]:
    bases = tuple(url.rstrip("/") for url in _urls(value, origin))
    if any(urlsplit(base).query for base in bases):
        raise WrongError("has a query")
    if len(set(bases)) != len(bases):
        raise WrongError("has an entry twice")
    return bases


def _origin_set(value: Any, origin: Origin) -> frozenset[str]:
    for url in _urls(value, origin):
        parts = urlsplit(url)
        if url != f"{parts.scheme}://{parts.netloc}" or url != url.lower():
            raise WrongError("has an entry that is more than scheme, host and port in lower case")
    return frozenset(value)


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _check_url(url: str, sandbox: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise WrongError("has an entry that is not a URL") from None
    if not host or parts.scheme not in ("https", "http"):
        raise WrongError("has an entry that is not an absolute https URL")
    if parts.scheme == "http" and not (sandbox and host in LOOPBACK):
        raise WrongError("has an entry that is not https (http is for this machine, in sandbox mode)")
    if "@" in parts.netloc or parts.fragment or "\\" in url or " " in url:
        raise WrongError("has an entry with a user name, a fragment, a backslash or a blank")


def _algorithms(value: Any, origin: Origin) -> frozenset[str]:
    if unknown := sorted(set(_texts(value, origin)) - ALGORITHMS):
        raise WrongError(f"{', '.join(unknown)} is not accepted")
    return frozenset(value)


def _dialect(value: Any, _: Origin) -> Dialect:
    for dialect in Dialect:
        if dialect.value == value:
            return dialect
    raise WrongError("is no dialect")


def _flag(value: Any, _: Origin) -> bool:
    if not isinstance(value, bool):
        raise WrongError("is not true or false")
    return value


def _aliases(value: Any, _: Origin) -> Mapping[str, Key]:
    if not isinstance(value, dict) or not all(isinstance(ours, str) for ours in value.values()):
        raise WrongError("is not a table")
    if unknown := sorted(set(value.values()) - set(get_args(Key))):
        raise WrongError(f"{', '.join(unknown)} is none of our keys")
    return value


def _rules(value: Any, origin: Origin) -> frozenset[str]:
    if unknown := sorted(set(_texts(value, origin)) - set(ORDER)):
        raise WrongError(f"{', '.join(unknown)}: no such rule (the rules are {', '.join(ORDER)})")
    return frozenset(value)


def _rules_that_may_be_off(value: Any, origin: Origin) -> frozenset[str]:
    """What could not be checked is said as long as anything is checked: silence must not read as safe."""
    rules = _rules(value, origin)
    if always := sorted(rules & DATA_CARDS):
        raise WrongError(f"{', '.join(always)} says what could not be checked, and cannot be off")
    return rules


def _silent_rules(value: Any, origin: Origin) -> frozenset[str]:
    """A site that tries the service shows nothing; a list of its own would miss the rules of a later release."""
    return frozenset(ORDER) if value == ALL else _rules(value, origin)


def _count(value: Any, _: Origin) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1_000_000:
        raise WrongError("is not a whole number from 1 to 1000000")
    return value


ALL = "all"
"""Every rule, also those of a later release."""

READERS: Mapping[str, tuple[Callable[[Any, Origin], Any], str]] = {
    "issuers": (_texts, 'the values of "iss" in its tokens, as ["https://ehr.example/fhir/R4"]'),
    "jwks_file": (_jwks, 'the path of a JWK Set, a JSON file {"keys": [...]} of public keys'),
    "jku": (_urls, 'the addresses of its JWK Sets, as ["https://ehr.example/jwks.json"]'),
    "algorithms": (_algorithms, f"a list of {', '.join(sorted(ALGORITHMS))}"),
    "tenants": (_text_set, 'the values of "tenant" in its tokens'),
    "audiences": (_text_set, 'values of "aud" that it sends instead of the URL that it calls'),
    "reuses_tokens": (_flag, "true if it sends one token with several calls, as some test kits do"),
    "fhir_servers": (_bases, 'the bases of its FHIR servers, as ["https://ehr.example/fhir/R4"]'),
    "origins": (_origin_set, 'the origins of browser pages that call, as ["https://ehr.example"]'),
    "dialect": (_dialect, f"one of {', '.join(one.value for one in Dialect)}"),
    "key_aliases": (_aliases, f"prefetch key as it sends it = one of {', '.join(get_args(Key))}"),
    "rules_off": (_rules_that_may_be_off, "a list of rules that are not asked"),
    "rules_silent": (_silent_rules, 'a list of rules that are assessed and not shown, or "all"'),
    "insights": (_flag, "true if it may read the figures of every client at /insights"),
    "calls_at_once": (_count, "how many of its calls one worker takes at the same time"),
    "calls_per_minute": (_count, "how many of its calls one worker takes in a minute"),
}
"""Key of a table → its reader, and what it must be: the cure in an error message."""
