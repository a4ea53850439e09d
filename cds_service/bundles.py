"""A value of prefetch, or an answer of a FHIR server, as it comes: a Bundle, one resource, or null.

Most hold only what we know, and are read in one pass. Where one does not, it is read again entry by entry
(``answers``), so that a bad resource costs only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cds_service.members import Json, members_of, raw_members
from cds_service.resources import UNREADABLE, Resource


class Link(Struct, gc=False):
    relation: str | None = None
    url: str | None = None


class Search(Struct, gc=False):
    mode: str | None = None


class Response(Struct, gc=False):
    status: str | None = None


class Entry(Struct, gc=False):
    resource: Resource | None = None
    search: Search | None = None
    response: Response | None = None


class Bundle(Struct, gc=False, tag_field="resourceType", tag="Bundle"):
    """A Bundle in which everything is as we know it."""

    entry: list[Entry | None] | None = None
    link: list[Link | None] | None = None
    total: Any = None


Value = Bundle | Resource | None

read_value: Callable[[Json], Value] = msgspec.json.Decoder(Value).decode
"""Raises ``UNREADABLE`` for a value of which some part is of another shape, or of a type that we do not read."""
_read_values: Callable[[Json], dict[str, Value]] = members_of(Value)


class Prefetch(Mapping[str, Raw]):
    """The values of prefetch as they came, cut out of the request when they are asked for, which few calls do.

    Raises ``UNREADABLE`` when it is no JSON object, and ``Ambiguous`` for a key that stands there twice.
    """

    def __init__(self, json: Json) -> None:
        self._json = json
        self.size = len(json)
        self.read: Mapping[str, Value] | None
        """All of them, read in one pass; None where one must be read with care."""
        try:
            self.read = _read_values(json)
        except UNREADABLE:
            self.read = None
            self._cut  # noqa: B018  # whether it is JSON at all

    @cached_property
    def _cut(self) -> Mapping[str, Raw]:
        return raw_members(self._json)

    def __getitem__(self, key: str) -> Raw:
        return self._cut[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cut if self.read is None else self.read)

    def __len__(self) -> int:
        return len(self._cut if self.read is None else self.read)
