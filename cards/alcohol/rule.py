"""Alcohol: as the reason for baclofen, and beside it (rules.md 5.5)."""

from __future__ import annotations

from cards import naming
from cards.advice import closing
from cards.case import Case, Indication, Kind
from cards.drinking import Drinking, drinking
from cards.facts import Input, Jurisdiction, OralDose, Problem
from cards.gaps import unread
from cards.outcome import Finding, Indicator, NotIndicated, Outcome, quiet
from cards.quantities import DailyDose, Days
from cards.rule import Rule
from cards.values import frozen

OFF_LABEL = "aud-off-label"
INTERACTION = "alcohol-interaction"

REMISSION = "history-or-remission"


@frozen
class Limits:
    audit_c_max_age: Days
    peth_max_age: Days
    ethanol_max_age: Days
    intoxication_max_age: Days
    dose_while_drinking_above: DailyDose


# ------------------------------------------------------------------------------------------------ as the indication


def aud_off_label(case: Case, limits: Limits) -> Outcome:
    if case.stops or case.kind is Kind.INTRATHECAL:
        return NotIndicated(OFF_LABEL, "not asked for: {}", (case.kind,))
    if not case.indication.is_alcohol:
        # Without a stated reason the problem list tells the indication (rules.md 3.4).
        gaps = unread(case.facts, Input.PROBLEMS)
        told = not gaps or any(order.reason_given for order in case.orders)
        return quiet(OFF_LABEL, () if told else gaps, "the indication is spasticity")
    signs = drinking(case.facts, limits)
    worse = _worse(case, signs, limits)
    gaps = () if worse else (*unread(case.facts, Input.PROBLEMS, Input.OBSERVATIONS), *signs.unread)
    if not worse and (case.stable or case.kind is Kind.DECREASE):
        return quiet(OFF_LABEL, gaps, "stable or lowered, and nothing that makes it more dangerous")
    liver = ("liver",) if case.active(Problem.HEPATIC_IMPAIRMENT) else ()
    return Finding(
        OFF_LABEL,
        Indicator.WARNING if worse and not case.stable else Indicator.INFO,
        summary=worse[0] if worse else _local(case, "default"),
        detail=(
            "S-ORDER",
            *worse,
            *(_local(case, name) for name in ("status", "dose", "alcohol")),
            "benefit",
            *liver,
            "risks",
            "care",
            *closing(case, ()),
        ),
        values={
            "signs": str(signs),
            "encephalopathy": naming.problems(case.active(Problem.HEPATIC_ENCEPHALOPATHY)),
            "dose_limit": limits.dose_while_drinking_above,
            "aud": _indication(case),
        },
        unchecked=gaps,
    )


def _worse(case: Case, signs: Drinking, limits: Limits) -> tuple[str, ...]:
    """What makes it a warning, the most urgent first; also names of summary and paragraph."""
    high = isinstance(case.dose, OralDose) and case.dose.highest > limits.dose_while_drinking_above
    met = {
        "acute": bool(signs.acute),
        "encephalopathy": bool(case.active(Problem.HEPATIC_ENCEPHALOPATHY)),
        "drinking": bool(signs) and high,
    }
    return tuple(name for name, is_met in met.items() if is_met)


def _local(case: Case, name: str) -> str:
    """The words for where the service runs: "status", "status_fr"."""
    match case.facts.jurisdiction:
        case Jurisdiction.US:
            return name
        case Jurisdiction.FR:
            return f"{name}_fr"


def _indication(case: Case) -> str:
    inferred = case.indication is Indication.APPARENTLY_ALCOHOL_USE_DISORDER
    return "apparently for alcohol use disorder" if inferred else "for alcohol use disorder"


# ---------------------------------------------------------------------------------------------------- beside baclofen


def alcohol_interaction(case: Case, limits: Limits) -> Outcome:
    """Alcohol beside baclofen for something else; the card on alcohol use disorder has its own words about it."""
    if case.stops or case.kind is Kind.DECREASE:
        return NotIndicated(INTERACTION, "not asked for: {}", (case.kind,))
    if case.indication.is_alcohol:
        return NotIndicated(INTERACTION, "the indication is alcohol use disorder")
    signs = drinking(case.facts, limits)
    disorder = [one for one in case.active(Problem.ALCOHOL_USE_DISORDER) if REMISSION not in one.flags]
    if not signs and not disorder:
        gaps = (*unread(case.facts, Input.PROBLEMS, Input.OBSERVATIONS), *signs.unread)
        return quiet(INTERACTION, gaps, "no sign of drinking in its time, and no alcohol use disorder")
    return Finding(
        INTERACTION,
        Indicator.INFO if case.stable else Indicator.WARNING,
        summary="drinking" if signs else "disorder",
        detail=(
            "S-ORDER",
            *(("signs",) if signs else ()),
            *(("disorder",) if disorder else ()),
            "additive",
            "advice",
        ),
        values={"signs": str(signs), "disorder": naming.problems(disorder)},
    )


READ = frozenset({Input.PROBLEMS, Input.OBSERVATIONS, Input.MEDICATIONS})

RULES = (
    Rule(OFF_LABEL, READ | {Input.ORDER, Input.KIDNEY_RESULTS}, aud_off_label),
    Rule(INTERACTION, READ, alcohol_interaction),
)
