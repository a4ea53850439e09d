"""An opioid beside baclofen (rules.md 5.4, opioid-coprescription)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cards.case import Case, Kind
from cards.facts import DrugClass, Input, Medication, Missing, OralDose, Problem, Setting, Standing
from cards.gaps import not_known
from cards.kidney import KidneyFunction, Tier
from cards.opioids_and_sedatives import medicines, mme, triggers
from cards.opioids_and_sedatives.limits import Limits
from cards.outcome import (
    ChangeDose,
    CoPrescribeNaloxone,
    Finding,
    Indicator,
    NotIndicated,
    Outcome,
    Proposal,
    quiet,
)  # fmt: skip
from cards.quantities import DailyDose
from cards.values import frozen

RULE = "opioid-coprescription"

OWN_TIERS = frozenset({Tier.K1, Tier.K2, Tier.UNKNOWN})
"""Where this card may name a start dose."""


@frozen
class _Picture:
    """What the record says about this patient's opioids."""

    opioids: tuple[Medication, ...]
    new: bool
    """An opioid is drafted, or began within the last days."""
    total: mme.OpioidTotal
    triggers: tuple[str, ...]
    naloxone: str | None
    """Naloxone or nalmefene at hand: "on file (2026-09-23)"."""
    hospice: bool
    inpatient: bool
    gaps: tuple[Missing, ...]

    @property
    def offers_naloxone(self) -> bool:
        return not (self.naloxone or self.hospice or self.inpatient)

    @property
    def treatments(self) -> Sequence[str]:
        """Opioids that may treat opioid use disorder."""
        names = {ingredient.name for opioid in self.opioids for ingredient in opioid.opioids}
        flags = frozenset().union(*(opioid.flags for opioid in self.opioids))
        return [drug for drug in ("buprenorphine", "methadone") if drug in names | flags]


def opioid_coprescription(case: Case, limits: Limits) -> Outcome:
    if case.stops:
        return NotIndicated(RULE, "baclofen is being stopped")
    gaps = not_known(case.facts, Input.MEDICATIONS)
    opioids = medicines.of(case.facts, DrugClass.OPIOID)
    if not opioids:
        return quiet(RULE, gaps, "no opioid on the medication list or among the drafts")
    seen = _picture(case, opioids, limits)
    found = indicator(case.kind, new=seen.new, triggered=bool(seen.triggers), naloxone=bool(seen.naloxone))
    if found is None:
        return NotIndicated(RULE, "baclofen is being lowered and naloxone is {}", (seen.naloxone,))
    worst = indicator(case.kind, new=seen.new, triggered=True, naloxone=bool(seen.naloxone))
    start = lower_start(case, limits)
    return Finding(
        RULE,
        found.lowered() if seen.hospice else found,
        summary=_summary(seen),
        detail=_detail(case, seen, start),
        values=_values(seen, start, limits),
        proposals=_proposals(seen, start),
        unchecked=(*seen.gaps, *(triggers.not_known(case, limits) if found is not worst else ())),
    )


def indicator(kind: Kind, *, new: bool, triggered: bool, naloxone: bool) -> Indicator | None:
    """The table of rules.md 5.4, before hospice care lowers it; None is silence."""
    match kind:
        case Kind.STOP:
            return None
        case Kind.DECREASE:
            return None if naloxone else Indicator.INFO
        case Kind.UNCHANGED if not new:
            return Indicator.INFO if naloxone else Indicator.WARNING
        case Kind.INITIATION | Kind.INCREASE | Kind.UNCHANGED | Kind.INTRATHECAL | Kind.UNKNOWN:
            return Indicator.CRITICAL if triggered else Indicator.WARNING


def lower_start(case: Case, limits: Limits) -> ChangeDose | None:
    """The recommended start where the order begins higher: normal, mildly reduced or unknown kidney function only.

    Reduced kidneys belong to the renal card; in acute injury, or with an unread current dose, no dose is offered
    (resolutions.md 2, 12).
    """
    match case:
        case Case(kind=Kind.INITIATION, dose=OralDose(start=ordered), kidney=KidneyFunction(tier=tier, acute=None)):
            if tier not in OWN_TIERS or not case.current.known:
                return None
        case _:
            return None
    recommended = case.dosing.recommended_start(tier, case.age)
    if recommended is None or ordered <= _accepted(recommended, tier, case, limits):
        return None
    return ChangeDose(case.dosing.regimen(recommended))


def _accepted(recommended: DailyDose, tier: Tier, case: Case, limits: Limits) -> DailyDose:
    """The label's 15 mg/day passes in K2, though 10 would be recommended; not at 65 and over (resolutions.md 11)."""
    if tier is Tier.K2 and not case.dosing.older(case.age):
        return max(recommended, limits.accepted_start_at_most)
    return recommended


def _picture(case: Case, opioids: tuple[Medication, ...], limits: Limits) -> _Picture:
    return _Picture(
        opioids=opioids,
        new=any(_is_new(opioid, case.facts.today, limits) for opioid in opioids),
        total=mme.total(opioids, limits.factors),
        triggers=triggers.met(case, limits),
        naloxone=_naloxone(case, limits),
        hospice=bool(case.active(Problem.HOSPICE)),
        inpatient=case.facts.setting is Setting.INPATIENT,
        gaps=not_known(case.facts, Input.MEDICATIONS),
    )


def _is_new(opioid: Medication, today: date, limits: Limits) -> bool:
    """An opioid without a start date is not called new; it is on the card all the same."""
    if opioid.standing is Standing.DRAFT:
        return True
    return opioid.started is not None and opioid.started >= limits.new_opioid_max_age.before(today)


def _naloxone(case: Case, limits: Limits) -> str | None:
    facts = case.facts
    if any(DrugClass.OPIOID_RESCUE in draft.classes for draft in facts.drafted):
        return "among the drafts"
    on_file = None if isinstance(facts.medications, Missing) else facts.medications.rescue_on_file
    if on_file is None or on_file < limits.naloxone_max_age.before(facts.today):
        return None
    return f"on file ({on_file})"


def _proposals(seen: _Picture, start: ChangeDose | None) -> tuple[Proposal, ...]:
    naloxone: tuple[Proposal, ...] = (CoPrescribeNaloxone(),) if seen.offers_naloxone else ()
    return (*naloxone, start) if start else naloxone


def _detail(case: Case, seen: _Picture, start: ChangeDose | None) -> tuple[str, ...]:
    said = {
        "S-ORDER": True,
        "S-KIDNEY": start is not None,
        "opioids": True,
        _mme_words(seen.total): True,
        "triggers": bool(seen.triggers),
        "risk": True,
        "keep_treatment": bool(seen.treatments),
        _naloxone_words(seen): True,
        "advice": True,
        "start": start is not None,
        "S-CURRENT-UNKNOWN": not case.current.known,
    }
    return tuple(name for name, wanted in said.items() if wanted)


def _summary(seen: _Picture) -> str:
    if seen.offers_naloxone:
        return "naloxone"
    return "naloxone_at_hand" if seen.naloxone and not seen.hospice else "no_naloxone"


def _mme_words(total: mme.OpioidTotal) -> str:
    if not total.said:
        return "mme_none"
    return "mme_partly" if total.left_out else "mme"


def _naloxone_words(seen: _Picture) -> str:
    if seen.hospice:
        return "hospice"
    if seen.naloxone:
        return "naloxone_at_hand"
    if seen.inpatient:
        return "naloxone_at_discharge"
    return "naloxone_not_known" if seen.gaps else "naloxone"


def _values(seen: _Picture, start: ChangeDose | None, limits: Limits) -> dict[str, object]:
    return {
        "opioids": medicines.joined(f"{o.label} ({_dose(o)}{medicines.when(o)})" for o in seen.opioids),
        "mme": f" ({seen.total.said})" if seen.total.said else "",
        "mme_total": seen.total.said,
        "mme_limit": limits.mme_at_least,
        "left_out": medicines.joined(seen.total.left_out),
        "triggers": medicines.joined(seen.triggers),
        "treatments": " and ".join(seen.treatments),
        "naloxone": seen.naloxone or "",
        "naloxone_days": limits.naloxone_max_age,
        "start": str(start.regimen) if start else "",
    }


def _dose(opioid: Medication) -> str:
    """ "oxycodone 60 mg/day, "; empty when no ingredient has a computable dose."""
    return "".join(f"{one.name} {one.daily}, " for one in opioid.opioids if one.daily is not None)
