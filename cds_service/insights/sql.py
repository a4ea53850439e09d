"""What SQLite and PostgreSQL say in different words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class day_of(GenericFunction[str]):  # noqa: N801  # SQLAlchemy names functions so
    """The day in UTC of a moment, "2026-11-24"."""

    type = Text()
    inherit_cache = True


@compiles(day_of)
def _day(element: day_of, compiler: SQLCompiler, **more: Any) -> str:
    moment = compiler.process(element.clauses, **more)
    return f"to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


@compiles(day_of, "sqlite")
def _day_on_sqlite(element: day_of, compiler: SQLCompiler, **more: Any) -> str:
    return f"substr({compiler.process(element.clauses, **more)}, 1, 10)"


class whole_part(GenericFunction[int]):  # noqa: N801
    """Of a number that is not negative. A cast would round it on one engine and not on the other."""

    type = Integer()
    inherit_cache = True


@compiles(whole_part)
def _whole(element: whole_part, compiler: SQLCompiler, **more: Any) -> str:
    return f"CAST(floor({compiler.process(element.clauses, **more)}) AS INTEGER)"


@compiles(whole_part, "sqlite")
def _whole_on_sqlite(element: whole_part, compiler: SQLCompiler, **more: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **more)} AS INTEGER)"


MEMBERS = ("missing", "dropped", "fired")
"""Of ``hook_call.detail``, as far as reports read it."""


class members(GenericFunction[str]):  # noqa: N801
    """``MEMBERS`` of a JSON object, as the text of a JSON array; null for what is not there. The object is parsed once:
    an operator for each member would parse it each time."""

    type = Text()
    inherit_cache = True


@compiles(members)
def _members(element: members, compiler: SQLCompiler, **more: Any) -> str:
    column = compiler.process(element.clauses, **more)
    names, typed = ", ".join(f"x.{name}" for name in MEMBERS), ", ".join(f"{name} json" for name in MEMBERS)
    return f"(SELECT CAST(json_build_array({names}) AS text) FROM json_to_record(CAST({column} AS json)) AS x({typed}))"  # noqa: S608  # names of ours


@compiles(members, "sqlite")
def _members_on_sqlite(element: members, compiler: SQLCompiler, **more: Any) -> str:
    paths = ", ".join(f"'$.{name}'" for name in MEMBERS)
    return f"json_extract({compiler.process(element.clauses, **more)}, {paths})"


@contextmanager
def unchanging(engine: Engine) -> Iterator[Connection]:
    """A connection whose every query sees the same state, whatever is written meanwhile. It holds up no writer."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            yield connection.execution_options(reads=True)  # one read transaction: see ``store.Store.engine``
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
