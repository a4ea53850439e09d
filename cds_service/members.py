"""The members of a JSON object, each once. A decoder lets the last of two equal names win, and two ``patientId`` would
be two patients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from cds_service.errors import Ambiguous

Json = bytes | bytearray | memoryview | Raw


class _Name:
    """Equal only to itself, so that a dict keeps both of two equal names."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def members_of(kind: Any) -> Callable[[Json], dict[str, Any]]:
    """Reads an object whose members are all of this kind. Raises what msgspec raises, and ``Ambiguous``."""
    decode = msgspec.json.Decoder(dict[_Name, kind], dec_hook=_name).decode

    def members(json: Json) -> dict[str, Any]:
        found = decode(json)
        by_name = {name.text: value for name, value in found.items()}
        if len(by_name) != len(found):
            raise Ambiguous
        return by_name

    return members


def _name(_: type[_Name], text: str) -> _Name:
    return _Name(text)


raw_members: Callable[[Json], dict[str, Raw]] = members_of(Raw)
"""Each value as it was written."""
