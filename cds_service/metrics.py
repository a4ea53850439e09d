"""What the service counts, for Prometheus. Labels are closed sets: nothing of a patient, a user or an order.

With several worker processes each counts for itself in files of PROMETHEUS_MULTIPROC_DIR, and any of them adds up all.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

_calls = Counter("baclofen_cds_calls", "Hook calls answered", ("client", "hook", "status"))
_seconds = Histogram(
    "baclofen_cds_call_seconds",
    "Time from the first byte of a hook call to its answer",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
_fhir_reads = Counter("baclofen_cds_fhir_reads", "Requests to the FHIR servers of EHRs", ("outcome",))
_stages = Histogram(
    "baclofen_cds_stage_seconds",
    "Time of the stages of hook calls whose orders were assessed",
    ("stage",),
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5),
)
_signings = Counter(
    "baclofen_cds_baclofen_calls", "Hook calls that concerned baclofen and were answered", ("client", "cards")
)
_cards = Counter("baclofen_cds_cards", "Cards shown", ("client", "rule", "indicator"))
_silent_cards = Counter("baclofen_cds_silent_cards", "Cards kept silent", ("client", "rule", "indicator"))
_cannot_assess = Counter("baclofen_cds_cannot_assess", "Checks that a rule could not make", ("client", "rule"))
_missing = Counter("baclofen_cds_missing", "Inputs that could not be had", ("client", "input", "why"))
_feedback = Counter("baclofen_cds_feedback", "What clients told of cards", ("client", "rule", "outcome"))
_unrecorded = Counter("baclofen_cds_unrecorded_calls", "Calls that were answered and could not be written down")
_overrides_unread = Counter("baclofen_cds_overrides_unread", "Calls whose earlier overrides could not be asked for")
_rule_errors = Counter("baclofen_cds_rule_errors", "Rules that raised; each said that it could not assess", ("rule",))

_tokens = Counter("baclofen_cds_tokens_refused", "Calls without a token that is believed", ("reason",))
_key_sets = Counter("baclofen_cds_key_sets_fetched", "JWK Sets asked for at an address of a client", ("outcome",))

_store_records = Counter("baclofen_cds_store_records", "What was to be kept, by what became of it", ("kept",))
_store_seconds = Histogram(
    "baclofen_cds_store_commit_seconds",
    "Time of one commit, which several calls may share",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
)


for _kept in ("database", "spool", "replayed", "lost"):
    # From the start, so that the first record that is lost is an increase.
    _store_records.labels(_kept)


@cache
def _of(counter: Counter, *labels: str) -> Counter:
    """Finding a counter by its labels costs more than counting."""
    return counter.labels(*labels)


@cache
def _stage(stage: str) -> Histogram:
    return _stages.labels(stage)


def call_answered(client: str, hook: str, status: int, seconds: float) -> None:
    """``client`` is the name of a profile, or "none"; ``hook`` is one that is served, or "none"."""
    _of(_calls, client, hook, str(status)).inc()
    _seconds.observe(seconds)


def stage_took(stage: str, seconds: float) -> None:
    """``stage`` is one of ``course.Stage``."""
    _stage(stage).observe(seconds)


def fhir_read(outcome: str) -> None:
    """``outcome`` is "read" or the name of an ``Unread``."""
    _fhir_reads.labels(outcome).inc()


def baclofen_call(client: str, cards: int) -> None:
    _of(_signings, client, "some" if cards else "none").inc()


def card_shown(client: str, rule: str, indicator: str) -> None:
    _of(_cards, client, rule, indicator).inc()


def card_kept_silent(client: str, rule: str, indicator: str) -> None:
    _of(_silent_cards, client, rule, indicator).inc()


def not_assessed(client: str, rule: str) -> None:
    _of(_cannot_assess, client, rule).inc()


def input_missing(client: str, item: str, why: str) -> None:
    """``item`` and ``why`` as in ``audit.facts_used.missing``."""
    _of(_missing, client, item, why).inc()


def feedback_taken(client: str, rule: str, outcome: str, entries: int = 1) -> None:
    """``rule`` is "unknown" when the card is; ``outcome`` is accepted, overridden or unreadable."""
    _of(_feedback, client, rule, outcome).inc(entries)


def call_not_recorded() -> None:
    _unrecorded.inc()


def overrides_not_read() -> None:
    _overrides_unread.inc()


def rule_failed(rule: str) -> None:
    _rule_errors.labels(rule).inc()


def token_refused(reason: str) -> None:
    """``reason`` is one of ``auth.tokens.Reason``."""
    _tokens.labels(reason).inc()


def keys_fetched(outcome: Literal["fetched", "failed"]) -> None:
    _key_sets.labels(outcome).inc()


def store_records(kept: Literal["database", "spool", "replayed", "lost"], records: int) -> None:
    """``database``: at once; ``spool``: for the time being; ``replayed``: from the spool into the database."""
    _store_records.labels(kept).inc(records)


def store_committed(seconds: float) -> None:
    _store_seconds.observe(seconds)


def exposition() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
