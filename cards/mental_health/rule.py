"""Can baclofen harm this patient's mind, or be used for self-harm? (rules.md 5.6)"""

from __future__ import annotations

from collections.abc import Sequence

from cards import naming
from cards.case import Case, Kind
from cards.facts import Input, Missing, OralDose, Problem, ProblemEntry, Unreadable
from cards.gaps import not_known, unread
from cards.outcome import Finding, Indicator, LimitSupply, NotIndicated, Outcome, quiet
from cards.quantities import DailyDose, Days
from cards.rule import Rule
from cards.values import frozen

HISTORY = "psychiatric-history"
SELF_HARM = "self-harm-risk"

JUDGED = frozenset({Kind.INITIATION, Kind.INCREASE, Kind.UNCHANGED, Kind.UNKNOWN})
"""Oral orders after which the patient takes at least as much as before."""

DIAGNOSES = {
    Problem.PSYCHOSIS: "psychosis",
    Problem.BIPOLAR: "bipolar disorder",
    Problem.DELIRIUM_HALLUCINATION: "delirium or hallucinations",
}

REACTIONS = frozenset({Problem.PSYCHOSIS, Problem.DELIRIUM_HALLUCINATION})
"""What an earlier reaction to baclofen may have been."""

TOXIC = "encephalopathy"
"""Flag of the delirium value set: encephalopathy is toxicity, not psychiatric history (resolutions.md 19)."""


@frozen
class Limits:
    dose_above: DailyDose
    high_dose_above: DailyDose
    suicidality_max_age: Days
    supply: Days


def psychiatric_history(case: Case, limits: Limits) -> Outcome:
    """Psychosis, bipolar disorder, delirium or hallucinations at any time; more so where baclofen was the cause."""
    if case.kind not in JUDGED:
        return _other_kind(HISTORY, case)
    history = [entry for entry in case.ever(*DIAGNOSES) if TOXIC not in entry.flags]
    reactions = _reactions(case)
    unread_reactions = unread(case.facts, Input.ALLERGIES)
    if not history and not reactions:
        gaps = (*not_known(case.facts, Input.PROBLEMS), *unread_reactions)
        return quiet(HISTORY, gaps, "no psychosis, bipolar disorder, delirium or hallucinations on record")
    indicator = _after_reaction(case, limits) if reactions else _by_dose(case, limits)
    if case.stable and indicator is not Indicator.CRITICAL:
        if indicator is Indicator.INFO:
            return quiet(HISTORY, unread_reactions, "stable at {}, not above {}", _dose(case), limits.dose_above)
        indicator = indicator.lowered()
    kinds = [kind for kind in DIAGNOSES if any(kind in entry.kinds for entry in history)]
    summary = "reaction" if reactions else "dose"
    said = {
        "reaction": bool(reactions),
        "recorded": bool(history),
        "worsens": True,
        "mania": Problem.BIPOLAR in kinds,
        "monitor": True,
        "stopping": True,
    }
    return Finding(
        HISTORY,
        indicator,
        summary=f"{summary}_unknown" if isinstance(case.dose, Unreadable) else summary,
        detail=("S-ORDER", *(name for name, wanted in said.items() if wanted), *_dose_unread(case)),
        values={
            "dx": naming.listed(DIAGNOSES[kind] for kind in kinds) if kinds else "",
            "recorded": naming.problems(history),
            "reaction": naming.joined(reactions),
            "dose_limit": limits.dose_above,
        },
        unchecked=() if reactions or indicator is Indicator.CRITICAL else unread_reactions,
    )


def _reactions(case: Case) -> Sequence[str]:
    """Psychosis, hallucinations or delirium that the allergy list puts down to baclofen."""
    entries = () if isinstance(case.facts.allergies, Missing) else case.facts.allergies
    return [
        f"{'; '.join(entry.reactions) or entry.label} ({entry.recorded or 'no date'})"
        for entry in entries
        if entry.reaction_kinds & REACTIONS
    ]


def _after_reaction(case: Case, limits: Limits) -> Indicator:
    return Indicator.CRITICAL if _above(case, limits.dose_above) else Indicator.WARNING


def self_harm_risk(case: Case, limits: Limits) -> Outcome:
    """Suicidal ideation or an attempt within a year; depression by dose."""
    if case.kind not in JUDGED:
        return _other_kind(SELF_HARM, case)
    if suicidality := case.lately(limits.suicidality_max_age, Problem.SUICIDALITY):
        return _after_suicidality(case, suicidality, limits)
    return _with_depression(case, limits)


def _after_suicidality(case: Case, entries: Sequence[ProblemEntry], limits: Limits) -> Finding:
    """A warning at any dose, also in a stable regimen."""
    high = _above(case, limits.high_dose_above)
    return Finding(
        SELF_HARM,
        Indicator.CRITICAL if high else Indicator.WARNING,
        summary="suicidality",
        detail=("S-ORDER", "recorded", "overdose", "follow_up", *_dose_unread(case)),
        values={"recorded": naming.problems(entries), "supply": limits.supply, "dose_limit": limits.high_dose_above},
        proposals=(LimitSupply(limits.supply),),
    )


def _with_depression(case: Case, limits: Limits) -> Outcome:
    depression = case.ever(Problem.DEPRESSION)
    gaps = not_known(case.facts, Input.PROBLEMS)
    if not depression:
        return quiet(SELF_HARM, gaps, "no depression, and no suicidality within {}", limits.suicidality_max_age)
    indicator = _for_depression(case, limits)
    if indicator is None:
        return quiet(SELF_HARM, gaps, "depression without recent suicidality, at {}", _dose(case))
    alcohol = ("alcohol",) if case.indication.is_alcohol else ()
    return Finding(
        SELF_HARM,
        indicator,
        summary="depression",
        detail=("S-ORDER", "recorded", "depression", *alcohol, "overdose", "ask", *_dose_unread(case)),
        values={"recorded": naming.problems(depression), "dose_limit": limits.high_dose_above},
        unchecked=gaps,
    )


def _for_depression(case: Case, limits: Limits) -> Indicator | None:
    """Depression without recent suicidality; a stable regimen lowers it by one level, info to silence."""
    if _above(case, limits.high_dose_above):
        return Indicator.INFO if case.stable else Indicator.WARNING
    if _above(case, limits.dose_above) or case.indication.is_alcohol:
        return None if case.stable else Indicator.INFO
    return None


def _by_dose(case: Case, limits: Limits) -> Indicator:
    """Info at any dose, an unread one included."""
    if _above(case, limits.high_dose_above):
        return Indicator.CRITICAL
    return Indicator.WARNING if _above(case, limits.dose_above) else Indicator.INFO


def _above(case: Case, limit: DailyDose) -> bool:
    return isinstance(case.dose, OralDose) and case.dose.highest > limit


def _other_kind(rule: str, case: Case) -> NotIndicated:
    return NotIndicated(rule, "a {} is not judged", (case.kind,))


def _dose_unread(case: Case) -> tuple[str, ...]:
    match case.dose:
        case Unreadable(given=True):
            return ("dose_unread",)
        case Unreadable():
            return ("no_dose_yet",)
        case _:
            return ()


def _dose(case: Case) -> str:
    return str(case.dose.highest) if isinstance(case.dose, OralDose) else "a dose that order-dose-unparseable names"


RULES = (
    Rule(HISTORY, frozenset({Input.PROBLEMS, Input.ALLERGIES, Input.ORDER}), psychiatric_history),
    Rule(SELF_HARM, frozenset({Input.PROBLEMS, Input.ORDER}), self_harm_risk),
)
