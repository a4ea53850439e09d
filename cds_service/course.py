"""How one request goes through the service: who asks, under which name we speak of it, and how long each stage took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter_ns

from cds_service.store import TokenUse

NOBODY = "none"
"""Client of a request that was not authenticated."""


class Stage(StrEnum):
    """In the order of a call. The values are labels of a counter, names of spans and keys of the record."""

    TOKEN = "token"  # noqa: S105  # the name of a stage
    BODY = "body"
    PARSE = "parse"
    PREFETCH = "prefetch"
    FHIR = "fhir"
    FACTS = "facts"
    RULES = "rules"
    OVERRIDES = "overrides"
    CARDS = "cards"
    RECORD = "record"


@dataclass(slots=True)
class Course:
    request_id: str = ""
    """What the client sees as X-Request-Id."""
    client: str = NOBODY
    """Name of its profile."""
    tenant: str = ""
    """As the token says it: of patients of two tenants the ids may be equal."""
    tenant_is_listed: bool = False
    """By the profile: then it is a word of the operator's, and no free text."""
    use: TokenUse | None = None
    """Of the token of this call, until it is written down: with the first record, which is then written only if no
    other call has used that token."""
    begun: int = field(default_factory=perf_counter_ns)
    ends: list[tuple[Stage, int]] = field(default_factory=list)

    def belongs_to(self, client: str, tenant: str, *, listed: bool) -> None:
        self.client, self.tenant, self.tenant_is_listed = client, tenant, listed

    def take_use(self) -> TokenUse | None:
        use, self.use = self.use, None
        return use

    def done(self, stage: Stage) -> None:
        """The stage that began when the last one ended is over."""
        self.ends.append((stage, perf_counter_ns()))

    @property
    def assessed(self) -> bool:
        """Whether the rules were asked: most orders are for other medicines."""
        return any(stage is Stage.RULES for stage, _ in self.ends)

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        return (perf_counter_ns() - self.begun) / 1e9

    def stages(self) -> Iterator[tuple[Stage, int, int]]:
        """Each with its begin and end, in nanoseconds of a clock that only goes forward."""
        before = self.begun
        for stage, end in self.ends:
            yield stage, before, end
            before = end
