"""What is written down of a call: one row for the call and one for each card, shown or silent.

Names, dates and numbers of ours; patient, user and order as keyed hashes. docs/operations/records.md lists every
field and says why it is there; docs/decisions/0007-audit.md says why there is no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from cards.catalogue import Assessment
from cards.facts import Missing, PatientFacts
from cards.kidney import KidneyFunction
from cards.logic import Offer, offer_of
from cards.outcome import CannotAssess, NotIndicated
from cards.override_memory import key_of
from cards.triage import ShownCard
from cds_service.audit import detail
from cds_service.audit.detail import Detail, Suggested
from cds_service.audit.facts_used import NAMES, facts_used, missing
from cds_service.card_builder import Built, Card
from cds_service.course import Course
from cds_service.hooks import HookCall
from cds_service.pseudonyms import Pseudonyms
from cds_service.store.rows import Row, Value

INVALID = "what was written is not valid R4"


@dataclass(frozen=True, slots=True)
class Clerk:
    """Makes the rows. It reads no clock and writes nothing."""

    pseudonyms: Pseudonyms
    content_version: str
    service_version: str

    def answered(
        self, call: HookCall, course: Course, facts: PatientFacts, assessment: Assessment, built: Built
    ) -> list[Row]:
        """A call that was answered, and its cards."""
        patient = self.pseudonyms.patient(course.client, course.tenant, call.patient_id)
        kind = assessment.cases[0].kind.value if assessment.cases else None
        said = _detail(course, facts, assessment, built)
        whole = self._call(call, course, facts.now, patient, said)
        whole |= {"status": 200, "order_kind": kind, "shown": len(built.cards)}
        head = {"call_id": whole["id"], "at": facts.now, "client": course.client, "patient_hash": patient}
        rows = [Row("hook_call", whole)]
        for card, sent, kinds in zip(assessment.triaged.cards, built.cards, built.kinds, strict=True):
            key = key_of(card)
            hashed = self.pseudonyms.override(course.client, course.tenant, key) if key else None
            about = _about(card, _suggested(sent, kinds))
            rows.append(Row("card", {"uuid": sent["uuid"], "silent": False, "override_key": hashed, **head, **about}))
        for card in assessment.silent:
            about = _about(card, [Suggested("", "", str(offer_of(proposal))) for proposal in card.proposals])
            rows.append(Row("card", {"uuid": str(uuid4()), "silent": True, **head, **about}))
        return rows

    def failed(self, call: HookCall, course: Course, at: datetime, status: int, error: BaseException) -> list[Row]:
        """A call that ended in an error."""
        patient = self.pseudonyms.patient(course.client, course.tenant, call.patient_id)
        said = Detail(request_id=course.request_id, stages=_milliseconds(course), error=type(error).__name__)
        whole = self._call(call, course, at, patient, said)
        return [Row("hook_call", whole | {"status": status, "shown": 0})]

    def _call(self, call: HookCall, course: Course, at: datetime, patient: str, said: Detail) -> dict[str, Value]:
        user = self.pseudonyms.user(course.client, course.tenant, call.user_id) if call.user_id else None
        return {
            "id": str(uuid4()),
            "at": at,
            "client": course.client,
            "tenant": course.tenant if course.tenant_is_listed else None,
            "hook": call.hook.value,
            "hook_instance": call.hook_instance if call.instance_is_uuid else None,
            "patient_hash": patient,
            "user_hash": user,
            "hash_key_id": self.pseudonyms.key_id,
            "content_version": self.content_version,
            "service_version": self.service_version,
            "milliseconds": round(course.elapsed * 1000, 3),
            "detail": detail.text(said),
        }


def _about(card: ShownCard, suggested: list[Suggested]) -> Mapping[str, Value]:
    return {
        "rule": card.rule,
        "indicator": str(card.indicator),
        "merged": detail.text([finding.rule for finding in card.merged]),
        "suggestions": detail.text(suggested),
    }


def _suggested(sent: Card, kinds: Iterable[Offer]) -> list[Suggested]:
    offered = zip(sent.get("suggestions", ()), kinds, strict=True)
    return [Suggested(one["uuid"], one["label"], kind.value) for one, kind in offered]


def _detail(course: Course, facts: PatientFacts, assessment: Assessment, built: Built) -> Detail:
    fired: dict[str, str] = {}
    cannot_assess: dict[str, list[str]] = {}
    unchecked: dict[str, list[str]] = {}
    not_indicated: dict[str, None] = {}
    for _, outcome in assessment.outcomes:
        if isinstance(outcome, NotIndicated):  # a match costs twice as much, and most of a call's outcomes are this one
            not_indicated[outcome.rule] = None
        elif isinstance(outcome, CannotAssess):
            cannot_assess[outcome.rule] = _inputs(outcome.missing)
        else:
            fired[outcome.rule] = str(outcome.indicator)
            if outcome.unchecked:
                unchecked[outcome.rule] = _inputs(outcome.unchecked)
    kidney = assessment.kidney
    return Detail(
        request_id=course.request_id,
        facts=facts_used(facts, kidney),
        missing=missing(facts),
        tier=kidney.tier.value if isinstance(kidney, KidneyFunction) else "",
        fired=fired,
        cannot_assess=cannot_assess,
        unchecked=unchecked,
        not_indicated=[rule for rule in not_indicated if rule not in fired and rule not in cannot_assess],
        silent=sorted(assessment.silenced),
        dropped={one.rule: one.why for one in assessment.triaged.dropped},
        not_offered=[
            (rule, offer_of(one.proposal).value, INVALID if one.invalid else one.reason)
            for rule, one in built.not_offered
        ],
        stages=_milliseconds(course),
    )


def _inputs(gaps: Iterable[Missing]) -> list[str]:
    return list(dict.fromkeys(NAMES[gap.what] for gap in gaps))


def _milliseconds(course: Course) -> dict[str, float]:
    return {stage.value: (end - begin) // 1000 / 1000 for stage, begin, end in course.stages()}
