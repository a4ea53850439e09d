"""Cases for rule tests, in the words of rules.md: ``make_case(ordered="5 mg TID", tier=Tier.K3A, age=72)``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from cards.case import Case, CurrentBaclofen, Indication, Kind
from cards.content import LONGEST_SUMMARY, Library
from cards.dosing import Dosing
from cards.facts import (
    Allergy,
    BaclofenOrder,
    ChartBaclofen,
    ChartText,
    DoseStep,
    DrugClass,
    Hook,
    Input,
    Jurisdiction,
    KidneyResults,
    Medication,
    MedicationList,
    Missing,
    Observations,
    OralDose,
    Origin,
    PatientFacts,
    Problem,
    ProblemEntry,
    ProblemList,
    Recognised,
    Route,
    Setting,
    Sex,
    Standing,
    Unreadable,
    Why,
)  # fmt: skip
from cards.kidney import AcuteInjury, KidneyFunction, Tier
from cards.outcome import (
    CannotAssess,
    ChangeDose,
    Finding,
    NotIndicated,
    OrderTest,
    Outcome,
    Proposal,
    Taper,
    WithdrawOrder,
)
from cards.quantities import UNITS, Age, DailyDose, Days, Egfr, SingleDose
from cards.questions import QUESTIONS
from cards.triage import ShownCard
from cards.wording import CardWords, Words

CARDS = Path(__file__).parents[2] / "cards"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOWHERE = Origin("")
_L = TypeVar("_L")

EGFR = {Tier.K1: 100, Tier.K2: 75, Tier.K3A: 50, Tier.K3B: 38, Tier.K4: 22, Tier.K5: 10, Tier.CHILD: 90}
"""A value inside each tier, for tests that are not about the tier's edge."""


def not_available(what: Input) -> Missing:
    return Missing(what, Why.NOT_AVAILABLE, "the EHR did not send it")


def not_recorded(what: Input) -> Missing:
    return Missing(what, Why.NOT_RECORDED, "nothing is recorded")


def mg(daily: str | float) -> DailyDose:
    return DailyDose.of(str(daily))


@cache
def limits_of(file: str, into: type[_L]) -> _L:
    """The parameters of a content file ("kidney_function/card.toml") in the frozen dataclass that names them."""
    given = tomllib.loads((CARDS / file).read_text())["parameters"]
    assert {field.name for field in fields(into)} == given.keys()  # type: ignore[arg-type]
    return into(**{name: UNITS[entry["unit"]].of(str(entry["value"])) for name, entry in given.items()})


def dosing() -> Dosing:
    limits: Dosing = limits_of("dosing.toml", Dosing)
    return limits


@cache
def _words() -> Words:
    library = Library()
    questions = (library.load_question(CARDS / name, m.RULES, m.Limits) for name, m in QUESTIONS.items())
    texts = {rule: text for question in questions for rule, text in question.cards.items()}
    return Words(texts, library.sentences, library.evidence, "test")


def written(case: Case, finding: Finding) -> CardWords:
    """The finding in words, as if it were shown alone: fails when a text names a value that the finding lacks."""
    words = _words().of(ShownCard(case, finding, finding.indicator))
    assert len(words.summary) <= LONGEST_SUMMARY
    assert finding.indicator in _words().texts[finding.rule].indicators
    assert not re.search(r"[{}]|None|Missing|Decimal", words.summary + words.detail)
    return words


_STEP = re.compile(r"(?P<doses>[\d./]+) mg(?: (?P<often>daily|QD|BID|TID|QID))?(?: x(?P<days>\d+) ?d)?")
_TIMES = {None: 1, "daily": 1, "QD": 1, "BID": 2, "TID": 3, "QID": 4}


def oral(words: str) -> OralDose:
    """For example "5 mg TID", "10/5/10 mg", "2.5 mg TID x7 d, then 5 mg TID"."""
    steps = []
    for part in words.split(", then "):
        match = _STEP.fullmatch(part)
        assert match, part
        singles = [SingleDose.of(dose) for dose in match["doses"].split("/")] * _TIMES[match["often"]]
        daily = DailyDose(sum((single.value for single in singles), start=mg(0).value))
        steps.append(DoseStep(daily, max(singles), len(singles), Days.of(match["days"]) if match["days"] else None))
    return OralDose(tuple(steps))


def problem(
    *kinds: Problem, active: bool = True, recorded: date | None = None, flags: Iterable[str] = ()
) -> ProblemEntry:
    label = ChartText(" ".join(kinds))
    return ProblemEntry(frozenset(kinds), label, active, recorded, frozenset(flags), Origin("Condition/1"))


def medication(*classes: DrugClass, **other: Any) -> Medication:
    given: dict[str, Any] = {
        "label": ChartText(classes[0] if classes else "another drug"), "classes": frozenset(classes),
        "flags": frozenset(), "standing": Standing.ACTIVE, "started": None, "ended": None, "as_needed": False,
        "opioids": (), "origin": Origin("MedicationRequest/other"),
    }  # fmt: skip
    return Medication(**(given | other))


def kidney_function(tier: Tier, egfr: int | None = None, **other: Any) -> KidneyFunction:
    """A creatinine-based value 30 days old in the middle of the tier, unless said otherwise."""
    value = egfr if egfr is not None else EGFR.get(tier)
    days = other.pop("days", 30)
    given: dict[str, Any] = {
        "tier": tier,
        "egfr": Egfr.of(value) if value is not None else None,
        "method": "CKD-EPI 2021 creatinine" if value is not None else "",
        "taken": NOW.date() - timedelta(days=days) if value is not None else None,
        "age": Days.of(days) if value is not None else None,
        "stale": False, "creatinine_only": value is not None, "acute": None,
        "dialysis": ChartText("Dependence on renal dialysis") if tier is Tier.DIALYSIS else None,
        "notes": (),
    }  # fmt: skip
    return KidneyFunction(**(given | other))


def make_case(
    *,
    ordered: str | float | OralDose | Unreadable | None = "5 mg TID",
    current: float | str | None = 0,
    kind: Kind | None = None,
    tier: Tier = Tier.K1,
    egfr: int | None = None,
    days: int = 30,
    acute: AcuteInjury | None = None,
    kidney: KidneyFunction | Missing | None = None,
    results: KidneyResults | Missing | None = None,
    age: int | Missing = 50,
    sex: Sex = Sex.FEMALE,
    problems: Iterable[Problem | ProblemEntry] | ProblemList | Missing = (),
    procedures: ProblemList | Missing | None = None,
    medications: Iterable[DrugClass | Medication] | MedicationList | Missing = (),
    drafted: Iterable[DrugClass | Medication] = (),
    indication: Indication = Indication.SPASTICITY,
    since_change: int | None = None,
    exposure: int | None = None,
    earlier_increases: int = 0,
    stable: bool | None = None,
    hook: Hook = Hook.ORDER_SIGN,
    setting: Setting = Setting.AMBULATORY,
    route: Route = Route.ORAL,
    allergies: tuple[Allergy, ...] | Missing = (),
    observations: Observations | Missing | None = None,
    beside: tuple[ChartBaclofen, ...] = (),
    replaced: tuple[ChartBaclofen, ...] = (),
    reason_given: bool = True,
    jurisdiction: Jurisdiction = Jurisdiction.US,
) -> Case:
    """An adult of 50 with normal kidneys who is started on 5 mg TID, and what differs.

    ``ordered``: words (see ``oral``), a daily dose in mg given in three doses, an ``Unreadable``, or None for a stop.
    ``current``: mg/day; None: could not be read. ``days``: age of the kidney value; other times are days too.
    ``kind`` follows from ``ordered`` and ``current`` unless given; ``stable`` from ``kind`` and ``since_change``.
    """
    dose = _dose(ordered)
    now = not_available(Input.MEDICATIONS) if current is None else mg(current)
    kind = kind or _kind(dose, now)
    order = BaclofenOrder(
        reference="MedicationRequest/draft", label=ChartText("baclofen 5 mg oral tablet"), route=route,
        dose=dose if dose is not None else oral("5 mg TID"), stops=dose is None, prior=None, prior_found=True,
        reasons=frozenset(), reason_given=reason_given, reason_mentions_alcohol=indication.is_alcohol,
        recognised=Recognised.BY_CODE, authored=NOW.date(), origin=Origin("MedicationRequest/draft"),
    )  # fmt: skip
    facts = PatientFacts(
        now=NOW, hook=hook, orders=(order,), drafted=tuple(_medication(m) for m in drafted), drafted_unrecognised=(),
        orders_for_other_patients=0, age=age if isinstance(age, Missing) else Age.of(age), sex=sex, deceased=False,
        setting=setting, kidney=results or KidneyResults(), problems=_problems(problems),
        procedures=procedures or ProblemList(), medications=_medications(medications), allergies=allergies,
        observations=observations or not_recorded(Input.OBSERVATIONS), jurisdiction=jurisdiction,
    )  # fmt: skip
    return Case(
        facts=facts,
        orders=(order,),
        route=route,
        kind=kind,
        dose=dose,
        current=CurrentBaclofen(
            dose=now,
            replaced=replaced,
            beside=beside,
            exposure=None if exposure is None else Days.of(exposure),
            since_change=None if since_change is None else Days.of(since_change),
            earlier_increases=earlier_increases,
        ),
        stable=stable if stable is not None else kind is Kind.UNCHANGED and (since_change or 0) >= 30,
        indication=indication,
        kidney=kidney or kidney_function(tier, egfr, days=days, acute=acute),
        dosing=dosing(),
    )


def _dose(ordered: str | float | OralDose | Unreadable | None) -> OralDose | Unreadable | None:
    match ordered:
        case str():
            return oral(ordered)
        case int() | float():
            daily = mg(ordered)
            return OralDose((DoseStep(daily, SingleDose(daily.value / 3), 3, None),))
        case _:
            return ordered


def _kind(dose: OralDose | Unreadable | None, current: DailyDose | Missing) -> Kind:
    if dose is None:
        return Kind.STOP
    if isinstance(dose, Unreadable):
        return Kind.UNKNOWN
    if isinstance(current, Missing) or current == mg(0):
        return Kind.INITIATION
    if dose.highest > current + mg(0.5):
        return Kind.INCREASE
    return Kind.UNCHANGED if mg(-0.5) <= dose.start - current <= mg(0.5) else Kind.DECREASE


def _problems(given: Iterable[Problem | ProblemEntry] | ProblemList | Missing) -> ProblemList | Missing:
    if isinstance(given, ProblemList | Missing):
        return given
    return ProblemList(tuple(problem(p) if isinstance(p, Problem) else p for p in given))


def _medication(given: DrugClass | Medication) -> Medication:
    return medication(given) if isinstance(given, DrugClass) else given


def _medications(given: Iterable[DrugClass | Medication] | MedicationList | Missing) -> MedicationList | Missing:
    if isinstance(given, MedicationList | Missing):
        return given
    return MedicationList(tuple(_medication(m) for m in given))


# --------------------------------------------------------------------------------------------------- outcomes, in short


def level(outcome: Outcome) -> str:
    """ "info", "warning", "critical", "silent" or "cannot assess"."""
    match outcome:
        case Finding(indicator=indicator):
            return str(indicator)
        case NotIndicated():
            return "silent"
        case CannotAssess():
            return "cannot assess"


def offers(outcome: Outcome) -> list[str]:
    assert isinstance(outcome, Finding)
    return [offer(proposal) for proposal in outcome.proposals]


def offer(proposal: Proposal) -> str:
    match proposal:
        case ChangeDose(regimen=regimen, note=note):
            return f"{regimen}{', ' if note else ''}{note}"
        case Taper(steps=steps):
            return f"taper from {steps[0].regimen}"
        case WithdrawOrder():
            return "withdraw"
        case OrderTest(test=test, urgent=urgent):
            return f"{'urgent ' if urgent else ''}{test.value}"
        case _:
            return str(proposal)
