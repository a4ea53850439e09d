"""Reads back what was written down: each call with its cards, and what became of each card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, and_, or_, select

from cds_service.store.schema import card, feedback, hook_call

AT_ONCE = 500
"""Calls that are held in memory; few enough for the number of values in one question to a database."""


@dataclass(frozen=True, slots=True)
class KeptCard:
    card: Row[Any]
    feedback: tuple[Row[Any], ...]
    """Of this card's client, oldest first."""


@dataclass(frozen=True, slots=True)
class Kept:
    call: Row[Any]
    cards: tuple[KeptCard, ...]


def calls(engine: Engine, since: datetime, until: datetime) -> Iterator[Kept]:
    """From ``since`` up to ``until``, oldest first."""
    with engine.connect().execution_options(reads=True) as connection:
        after = and_(hook_call.c.at >= since, hook_call.c.at < until)
        while page := connection.execute(_page(hook_call, after)).all():
            yield from _with_cards(connection, page)
            last = page[-1]
            later = or_(hook_call.c.at > last.at, and_(hook_call.c.at == last.at, hook_call.c.id > last.id))
            after = and_(later, hook_call.c.at < until)


def _page(table: Table, condition: Any) -> Any:
    return select(table).where(condition).order_by(table.c.at, table.c.id).limit(AT_ONCE)


def _with_cards(connection: Connection, page: Sequence[Row[Any]]) -> Iterator[Kept]:
    cards = connection.execute(select(card).where(card.c.call_id.in_([call.id for call in page]))).all()
    told: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    asked = select(feedback).where(feedback.c.card_uuid.in_([one.uuid for one in cards]))
    for entry in connection.execute(asked.order_by(feedback.c.received_at, feedback.c.id)):
        told[entry.client, entry.card_uuid].append(entry)
    of_call: dict[str, list[KeptCard]] = defaultdict(list)
    for one in cards:
        of_call[one.call_id].append(KeptCard(one, tuple(told[one.client, one.uuid])))
    for call in page:
        yield Kept(call, tuple(of_call[call.id]))


def comments(engine: Engine, since: datetime, until: datetime) -> Iterator[tuple[Row[Any], str | None]]:
    """Entries of feedback with a sealed comment, and the rule of their card where it is known."""
    of_card = and_(card.c.uuid == feedback.c.card_uuid, card.c.client == feedback.c.client)
    asked = (
        select(feedback, card.c.rule).select_from(feedback.outerjoin(card, of_card)).order_by(feedback.c.received_at)
    )
    wanted = and_(feedback.c.comment.is_not(None), feedback.c.received_at >= since, feedback.c.received_at < until)
    with engine.connect().execution_options(reads=True, yield_per=AT_ONCE) as connection:
        for told in connection.execute(asked.where(wanted)):
            yield told, told.rule
