"""The tables of the store → ``Tally``. Counting is the database's work: other threads of this process go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

import msgspec
from sqlalchemy import CTE, ColumnElement, Connection, Engine, and_, case, func, literal, or_, select

from cards.triage import SUMMARY_CARD
from cds_service.audit import detail
from cds_service.card_builder import REASON_SYSTEM
from cds_service.course import Stage
from cds_service.insights.selection import Selection, week_of
from cds_service.insights.sql import day_of, members, unchanging, whole_part
from cds_service.insights.tally import (
    ALONE,
    BESIDE,
    NO_REASON,
    NOT_SAID,
    OTHER_LIST,
    TENTHS,
    Advice,
    Became,
    CardKey,
    Elsewhere,
    Fate,
    FindingKey,
    Gap,
    Tally,
    Times,
    Version,
)
from cds_service.store.schema import card, feedback, hook_call

OK = 200
ACCEPTED = "accepted"
SAMPLE = 20_000
"""Calls of which the times of each stage are read."""

_members = msgspec.json.Decoder(list[dict[str, str] | None]).decode


def tally(engine: Engine, selection: Selection, reasons: Iterable[str]) -> Tally:
    """``reasons``: the codes of our own override reasons. A code of another list is not repeated: nobody knows what it
    says."""
    with unchanging(engine) as connection:
        signings, versions, failed = _signings(connection, selection)
        gaps, findings = _details(connection, selection)
        stages, sampled = _stages(connection, selection)
        return Tally(
            signings=signings,
            cards=_cards(connection, selection, frozenset(reasons)),
            findings=findings,
            gaps=gaps,
            versions=versions,
            whole=_whole(connection, selection),
            stages=stages,
            sampled=sampled,
            failed=failed,
            unlinked=_unlinked(connection, selection),
        )


def clients(engine: Engine) -> tuple[str, ...]:
    """Names of the clients that have called."""
    with unchanging(engine) as connection:
        return tuple(connection.scalars(select(hook_call.c.client).distinct().order_by(hook_call.c.client)))


# ------------------------------------------------------------------------------------------------------ calls and cards


def _calls(selection: Selection) -> ColumnElement[bool]:
    """Calls of the selection, failed ones too."""
    within = and_(hook_call.c.at >= selection.begin, hook_call.c.at < selection.end)
    within = and_(within, hook_call.c.hook == selection.hook.value)
    return and_(within, hook_call.c.client == selection.client) if selection.client else within


def _answered(selection: Selection) -> ColumnElement[bool]:
    return and_(_calls(selection), hook_call.c.status == OK)


def _signings(
    connection: Connection, selection: Selection
) -> tuple[Mapping[tuple[date, Advice], int], tuple[Version, ...], int]:
    """What signings got; under which content; and how many calls ended in an error."""
    silent = select(card.c.call_id).where(card.c.silent, card.c.at >= selection.begin, card.c.at < selection.end)
    advice = case(
        (hook_call.c.shown > 0, literal(Advice.SHOWN.name)),
        (hook_call.c.id.in_(silent), literal(Advice.SILENT.name)),
        else_=literal(Advice.NONE.name),
    )
    kind = (
        day_of(hook_call.c.at).label("day"),
        hook_call.c.content_version.label("content"),
        (hook_call.c.status == OK).label("answered"),
        advice.label("advice"),
    )
    query = select(*kind, func.count()).where(_calls(selection)).group_by("day", "content", "answered", "advice")
    signings: Counter[tuple[date, Advice]] = Counter()
    versions: dict[str, Version] = {}
    failed = 0
    for text, content, answered, name, number in connection.execute(query):
        if not answered:
            failed += number
            continue
        day = date.fromisoformat(text)
        signings[week_of(day), Advice[name]] += number
        known = versions.get(content, Version(content, day, day, 0))
        versions[content] = Version(content, min(known.first, day), max(known.last, day), known.signings + number)
    in_order = sorted(versions.values(), key=lambda version: (version.first, version.last, version.content))
    return signings, tuple(in_order), failed


def _cards(connection: Connection, selection: Selection, reasons: frozenset[str]) -> Mapping[CardKey, int]:
    """Cards by what became of them. An accepted card is a row of its own: what was accepted stands in its JSON."""
    told = _told(selection)
    accepted = and_(told.c.outcome == ACCEPTED, ~card.c.silent)
    kind = (
        card.c.rule.label("rule"),
        card.c.indicator.label("indicator"),
        day_of(card.c.at).label("day"),
        card.c.silent.label("silent"),
        (hook_call.c.shown > 0).label("beside"),
        told.c.outcome.label("outcome"),
        _reason(told, reasons).label("reason"),
        case((accepted, card.c.suggestions)).label("offered"),
        case((accepted, told.c.accepted_suggestions)).label("taken"),
    )
    query = (
        select(*kind, func.count())
        .select_from(
            card.join(hook_call, card.c.call_id == hook_call.c.id).outerjoin(
                told, and_(told.c.card_uuid == card.c.uuid, told.c.client == card.c.client, told.c.place == 1)
            )
        )
        .where(_answered(selection), card.c.at >= selection.begin, card.c.at < selection.end)
        .group_by(*(column.name for column in kind))
    )
    cards: Counter[CardKey] = Counter()
    for rule, indicator, text, silent, beside, outcome, reason, offered, taken, number in connection.execute(query):
        day = date.fromisoformat(text)
        if silent:
            fate = Fate(Became.SILENT, BESIDE if beside else ALONE)
        elif day > selection.judged_until:
            fate = Fate(Became.RECENT)
        else:
            fate = _fate(outcome, reason, offered, taken)
        cards[CardKey(rule, indicator, week_of(day), fate)] += number
    return cards


def _told(selection: Selection) -> CTE:
    """Of each card the one entry of feedback that counts: an acceptance, else the latest override."""
    accepted_first = case((feedback.c.outcome == ACCEPTED, 0), else_=1)
    latest = func.coalesce(feedback.c.outcome_at, feedback.c.received_at).desc()
    place = func.row_number().over(
        partition_by=[feedback.c.card_uuid, feedback.c.client], order_by=[accepted_first, latest, feedback.c.id]
    )
    return select(feedback, place.label("place")).where(feedback.c.received_at >= selection.begin).cte("told")


def _reason(told: CTE, reasons: frozenset[str]) -> ColumnElement[str]:
    system, code = told.c.reason_system, told.c.reason_code
    ours = or_(system == REASON_SYSTEM, system.is_(None), system == "")
    return case(
        (or_(code.is_(None), code == ""), literal(NO_REASON)),
        (and_(ours, code.in_(sorted(reasons))), code),
        else_=literal(OTHER_LIST),
    )


def _fate(outcome: str | None, reason: str, offered: str | None, taken: str | None) -> Fate:
    match outcome:
        case "accepted":
            kinds = {one.uuid: one.kind for one in detail.suggestions(offered or "[]")}
            chosen = sorted({kinds[uuid] for uuid in detail.names(taken or "[]") if uuid in kinds})
            return Fate(Became.ACCEPTED, " + ".join(chosen) or NOT_SAID)
        case "overridden":
            return Fate(Became.OVERRIDDEN, reason)
        case _:
            return Fate(Became.IGNORED)


# ------------------------------------------------------------------------------------------------- the details of calls

_INSIDE = ("merged into ", f"in {SUMMARY_CARD}")
"""How ``cards.triage`` words it that a finding is on another card."""


def _details(connection: Connection, selection: Selection) -> tuple[Counter[Gap], Counter[FindingKey]]:
    parts = members(hook_call.c.detail)
    gaps: Counter[Gap] = Counter()
    findings: Counter[FindingKey] = Counter()
    for text, number in connection.execute(select(parts, func.count()).where(_answered(selection)).group_by(parts)):
        missing, dropped, fired = (part or {} for part in _members(text))
        for what, why in missing.items():
            gaps[Gap(what, why)] += number
        for rule, why in dropped.items():
            where = Elsewhere.INSIDE if why.startswith(_INSIDE) else Elsewhere.HELD
            findings[FindingKey(rule, fired.get(rule, ""), where)] += number
    return gaps, findings


def _whole(connection: Connection, selection: Selection) -> Times:
    tenths = whole_part(hook_call.c.milliseconds * TENTHS)
    query = select(tenths, func.count()).where(_answered(selection)).group_by(tenths)
    return {tenth: number for tenth, number in connection.execute(query)}  # noqa: C416  # rows are no pairs to mypy


def _stages(connection: Connection, selection: Selection) -> tuple[Mapping[str, Times], int]:
    query = select(hook_call.c.detail).where(_answered(selection)).order_by(hook_call.c.at.desc()).limit(SAMPLE)
    stages: dict[str, Counter[int]] = {}
    sampled = 0
    for text in connection.scalars(query):
        sampled += 1
        for stage, milliseconds in detail.decode(text).stages.items():
            stages.setdefault(stage, Counter())[int(milliseconds * TENTHS)] += 1
    return {stage: stages[stage] for stage in Stage if stage in stages}, sampled


def _unlinked(connection: Connection, selection: Selection) -> int:
    known = and_(card.c.uuid == feedback.c.card_uuid, card.c.client == feedback.c.client)
    within = and_(
        feedback.c.received_at >= selection.begin, feedback.c.received_at < selection.end, card.c.uuid.is_(None)
    )
    within = and_(within, feedback.c.client == selection.client) if selection.client else within
    query = select(func.count()).select_from(feedback.outerjoin(card, known)).where(within)
    return connection.scalar(query) or 0
