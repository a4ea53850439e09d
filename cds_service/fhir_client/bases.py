"""The base of a FHIR server, written in one way; and which bases may be read.

A call names its server itself, so what it names is only ever compared with what the site has allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

Allowed = Callable[["Base"], bool]
"""Whether a server may be read at all."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_LONGEST = 8192
"""Of an address; a link that repeats a search by thirty codes takes 2000 characters."""
_NO_URL = re.compile(r'[\x00-\x20\x7f-\U0010ffff\\"<>^`{}|]')
_PATH_TRICK = re.compile(r"(^|/)\.{1,2}(/|$)|//|%2e|%2f|%5c|;", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Base:
    """ "https://ehr.example/fhir/R4": scheme and host in lower case, the default port left out, no slash at the end."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Base | None:
        """``None`` for what is no plain http or https address: with user name, query, fragment, dots in its path ..."""
        parts = _split(url)
        if parts is None or parts.query or parts.fragment or url.endswith(("?", "#")):
            return None
        path = parts.path.rstrip("/")
        if _PATH_TRICK.search(path) or not parts.hostname:
            return None
        return cls(parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme], path)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    def join(self, link: str, asked: str) -> str | None:
        """A link of an answer to ``asked``, as an absolute address; ``None`` when it leads away from this server."""
        if len(link) > _LONGEST or _NO_URL.search(link.replace("|", "")):
            return None
        url = urljoin(asked, link)
        parts = _split(url.replace("|", ""))
        if parts is None or _PATH_TRICK.search(parts.path) or parts.fragment:
            return None
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        inside = parts.path == self.path or parts.path.startswith(f"{self.path}/")
        same = (parts.scheme, parts.hostname, port) == (self.scheme, self.host, self.port)
        return url if same and inside else None


def _split(url: str) -> SplitResult | None:
    if len(url) > _LONGEST or _NO_URL.search(url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # it is checked only when it is asked for
    except ValueError:
        return None
    return parts if parts.scheme in _DEFAULT_PORTS and parts.hostname and "@" not in parts.netloc else None


def nothing(_: Base) -> bool:
    """The default."""
    return False


def loopback(base: Base) -> bool:
    """FHIR servers on this machine, for sandbox mode. Ports that belong to other services are left alone."""
    return base.host in LOOPBACK and (base.port >= 1024 or base.port in _DEFAULT_PORTS.values())


def only(bases: Iterable[str]) -> Allowed:
    """These, exactly. Raises ``ValueError`` for one that is no base."""
    known: set[Base] = set()
    for url in bases:
        base = Base.of(url)
        if base is None:
            raise ValueError(f"{url} is not the base of a FHIR server")
        known.add(base)
    return known.__contains__
