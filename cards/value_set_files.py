"""The value sets as they lie in ``value_sets/``, for the clinical document and for exchange."""

from __future__ import annotations

from collections.abc import Collection

from cards.content import read_toml
from cards.terminology import FOLDER, System, read_rows
from cards.values import frozen

COLUMNS = ("match", "code", "display", "flags", "verification", "source")


@frozen
class Row:
    match: str
    """ "exact", or in hierarchic systems "prefix" and "exclude"."""
    code: str
    display: str
    flags: tuple[str, ...]
    verified: bool
    """False: the code stands in a source, its name was derived."""


@frozen
class ValueSetFile:
    """One value set in one code system."""

    value_set: str
    system: System
    title: str
    kind: str
    source: str
    licence: str
    version: str
    rows: tuple[Row, ...]


def value_set_files(leave_out: Collection[System] = ()) -> list[ValueSetFile]:
    """All files of the index, by value set and system. ``leave_out``: systems that the site has no licence for."""
    found = []
    for name, entry in sorted(read_toml(FOLDER / "index.toml")["files"].items()):
        value_set, _, rest = name.partition(".")
        system = System(rest.removesuffix(".csv"))
        if system in leave_out:
            continue
        rows = tuple(
            Row(match, code, display, tuple(filter(None, flags.split("|"))), verification == "verified")
            for _, (match, code, display, flags, verification, _) in read_rows(FOLDER / name, COLUMNS)
        )
        title, kind, source, licence, version = (
            str(entry[key]) for key in ("title", "kind", "source", "licence", "version")
        )
        found.append(ValueSetFile(value_set, system, title, kind, source, licence, version, rows))
    return found
