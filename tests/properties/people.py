"""Patients and orders as facts: wide enough to meet every rule, made of the values at which rules change their mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from cards.facts import (
    AlcoholFinding,
    AlcoholTest,
    Allergy,
    BaclofenOrder,
    BodyMeasurements,
    Bound,
    ChartBaclofen,
    ChartText,
    CreatinineResult,
    CystatinResult,
    DoseStep,
    DrugClass,
    EgfrMethod,
    EgfrResult,
    Hook,
    Ingredient,
    Input,
    Jurisdiction,
    KidneyResults,
    Medication,
    MedicationList,
    Observations,
    OralDose,
    Origin,
    PatientFacts,
    Problem,
    ProblemEntry,
    ProblemList,
    PumpDose,
    Recognised,
    Route,
    Setting,
    Sex,
    Standing,
    Unreadable,
)  # fmt: skip
from cards.quantities import (
    Age,
    CystatinC,
    DailyDose,
    Days,
    Egfr,
    Height,
    IntrathecalDose,
    SerumCreatinine,
    SingleDose,
    Weight,
)  # fmt: skip
from tests.unit.cases import NOW, not_available, not_recorded

TODAY = NOW.date()
HERE = Origin("Resource/1", "LOINC 1")


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


# ---------------------------------------------------------------------------------------------------- small strategies
# Each is made once: a strategy that is built anew for every example costs more than the clinic itself.


def days_ago(*days: int | None) -> st.SearchStrategy[date | None]:
    return st.sampled_from([None if n is None else ago(n) for n in days])


def often(common: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Three times in four the common value."""
    return st.sampled_from((*(common,) * 3 * len(others), *others))


SINGLES = ("1", "2.5", "3", "5", "7.5", "10", "12.5", "15", "17.5", "20", "25", "30", "45", "60")
ALL_STEPS = [
    DoseStep(DailyDose(Decimal(single) * times), SingleDose.of(single), times, None)
    for single in SINGLES
    for times in (1, 2, 3, 4)
]
STEPS = st.sampled_from(ALL_STEPS)
LASTING = st.builds(replace, STEPS, lasts=st.sampled_from([Days.of(n) for n in (1, 3, 6, 7, 14)]))
ONE_STEP = st.tuples(STEPS)
DOSES = st.builds(
    OralDose,
    st.one_of(ONE_STEP, ONE_STEP, ONE_STEP, st.tuples(LASTING, STEPS), st.tuples(LASTING, LASTING, STEPS)),
    as_needed=often(False, True),
    from_text=often(False, True),
)
UNREADABLE = st.sampled_from(
    [Unreadable(reason, given) for reason in ("as directed", "no strength") for given in (True, False)]
)
DOSES_OR_NOT = st.one_of(DOSES, DOSES, DOSES, UNREADABLE)


def times_as_much(dose: OralDose, factor: Decimal) -> OralDose:
    """The same schedule, every dose so many times as large."""
    more = (
        replace(
            step,
            daily=DailyDose(step.daily.value * factor),
            largest_single=SingleDose(step.largest_single.value * factor),
        )
        for step in dose.steps
    )
    return replace(dose, steps=tuple(more))


# ---------------------------------------------------------------------------------------------------- order and chart


def _order(
    *, dose: Any, prior: str | None, reasons: frozenset[Problem], stops: bool, recognised: Recognised, route: Route
) -> BaclofenOrder:
    return BaclofenOrder(
        reference="MedicationRequest/draft",
        label=ChartText("baclofen 10 mg tablet"),
        route=route,
        dose=dose,
        stops=stops,
        prior=prior,
        prior_found=prior != "MedicationRequest/lost",
        reasons=reasons,
        reason_given=bool(reasons),
        reason_mentions_alcohol=Problem.ALCOHOL_USE_DISORDER in reasons,
        recognised=recognised,
        authored=TODAY,
        origin=HERE,
    )


_PRIOR = st.sampled_from((None, "MedicationRequest/b0", "MedicationRequest/b0", "MedicationRequest/lost"))
_REASONS = st.sampled_from(
    (frozenset[Problem](), frozenset({Problem.SPASTICITY}), frozenset({Problem.ALCOHOL_USE_DISORDER}))
)
_STOPS = st.sampled_from((*(False,) * 8, True))
_RECOGNISED = st.sampled_from(Recognised)


def _orders(dose: st.SearchStrategy[Any], route: Route) -> st.SearchStrategy[BaclofenOrder]:
    return st.builds(
        _order, dose=dose, prior=_PRIOR, reasons=_REASONS, stops=_STOPS, recognised=_RECOGNISED, route=st.just(route)
    )


ORAL_ORDERS = _orders(DOSES_OR_NOT, Route.ORAL)
DOSED_ORDERS = _orders(DOSES, Route.ORAL)
PUMP_DOSES = [PumpDose(IntrathecalDose.of(daily), bolus) for daily in (50, 300, 1200, 6000) for bolus in (False, True)]
PUMP_ORDERS = _orders(st.sampled_from((*PUMP_DOSES, Unreadable("no dose"))), Route.INTRATHECAL)
ORDERS = st.one_of(*[ORAL_ORDERS] * 8, PUMP_ORDERS)

_SINCE = days_ago(None, 1, 2, 3, 6, 7, 13, 14, 29, 30, 179, 181, 400)
_SUPPLY_ENDS = days_ago(None, None, 60, 15, 14, 0, -14, -15, -90)


def _charted(number: int) -> st.SearchStrategy[ChartBaclofen]:
    """Number 0 is the order that a draft may name."""
    standings = st.sampled_from(
        (Standing.ACTIVE, Standing.ACTIVE, Standing.ON_HOLD)
        if number == 0
        else (Standing.ACTIVE, Standing.RECENT, Standing.RECENT)
    )
    return st.builds(
        lambda dose, standing, since, ends, route: ChartBaclofen(
            f"MedicationRequest/b{number}", ChartText("baclofen 10 mg tablet"), route, dose, standing, since, ends,
            standing is Standing.RECENT, None, HERE,
        ),
        DOSES_OR_NOT, standings, _SINCE, _SUPPLY_ENDS, st.sampled_from((*(Route.ORAL,) * 9, Route.INTRATHECAL)),
    )  # fmt: skip


BACLOFEN_ON_CHART = st.one_of(
    st.just(()), st.tuples(_charted(0)), st.tuples(_charted(0)), st.tuples(_charted(0), _charted(1)),
    st.tuples(_charted(0), _charted(1), _charted(2)),
)  # fmt: skip

DEPRESSANTS = (
    DrugClass.ANTIPSYCHOTIC, DrugClass.BARBITURATE, DrugClass.BENZODIAZEPINE, DrugClass.GABAPENTINOID,
    DrugClass.MUSCLE_RELAXANT, DrugClass.OTHER_SEDATIVE, DrugClass.SEDATING_ANTIDEPRESSANT,
    DrugClass.SEDATING_ANTIHISTAMINE, DrugClass.SODIUM_OXYBATE, DrugClass.Z_DRUG,
)  # fmt: skip
OPIOIDS = ("oxycodone", "morphine", "methadone", "buprenorphine", "tramadol", "fentanyl", "codeine")


def _medicine(
    *,
    kind: DrugClass,
    opioid: Ingredient,
    flags: frozenset[str],
    standing: Standing,
    started: date | None,
    needed: bool,
) -> Medication:
    is_opioid = kind is DrugClass.OPIOID
    return Medication(
        label=ChartText(f"{opioid.name} tablet" if is_opioid else f"a {kind}"),
        classes=frozenset({kind}),
        flags=flags,
        standing=standing,
        started=TODAY if standing is Standing.DRAFT else started,
        ended=ago(3) if standing is Standing.RECENT else None,
        as_needed=needed,
        opioids=(opioid,) if is_opioid else (),
        origin=HERE,
    )


_INGREDIENTS = st.sampled_from(
    [
        Ingredient(name, daily)
        for name in OPIOIDS
        for daily in (None, *map(DailyDose.of, ("5", "32", "34", "60", "200")))
    ]
)
_FLAGS = st.sampled_from((frozenset[str](), frozenset({"parenteral"}), frozenset({"buprenorphine"})))
_STANDINGS = st.sampled_from((Standing.ACTIVE, Standing.ACTIVE, Standing.RECENT, Standing.ON_HOLD))


def _medicines(classes: tuple[DrugClass, ...], standings: st.SearchStrategy[Standing]) -> st.SearchStrategy[Medication]:
    return st.builds(
        _medicine,
        kind=st.sampled_from(classes),
        opioid=_INGREDIENTS,
        flags=_FLAGS,
        standing=standings,
        started=days_ago(None, 3, 29, 31, 400),
        needed=st.booleans(),
    )


MEDICINES = _medicines((*DrugClass, *(DrugClass.OPIOID,) * 3), _STANDINGS)
DRAFTED = _medicines((*DrugClass, *(DrugClass.OPIOID,) * 3), st.just(Standing.DRAFT))
SEDATIVES = _medicines((*DEPRESSANTS, *(DrugClass.OPIOID,) * 5), st.sampled_from(Standing))
GAPS = often("", "further pages were not read")
MEDICATION_LISTS = st.builds(
    MedicationList,
    others=st.lists(MEDICINES, max_size=4).map(tuple),
    baclofen=BACLOFEN_ON_CHART,
    rescue_on_file=days_ago(None, None, 10, 364, 366),
    unrecognised=often((), (ChartText("<b>tonic</b> & *herbs*"),)),
    incomplete=GAPS,
)


# ------------------------------------------------------------------------------------------------- problems, kidneys

NASTY = ChartText("<script>x</script> **a** [b](javascript:c)")


def _problems(kinds: tuple[Problem, ...]) -> st.SearchStrategy[ProblemEntry]:
    return st.builds(
        lambda kind, label, active, recorded, flags: ProblemEntry(
            frozenset({kind}), label or ChartText(kind.replace("-", " ")), active, recorded, flags, HERE
        ),
        st.sampled_from(kinds),
        st.sampled_from((None, NASTY)),
        often(True, False),
        days_ago(None, 0, 2, 7, 8, 29, 89, 91, 364, 366, 2000),
        often(frozenset[str](), frozenset({"ideation"}), frozenset({"encephalopathy"})),
    )


PROBLEM_LISTS = st.builds(ProblemList, st.lists(_problems(tuple(Problem)), max_size=4).map(tuple), GAPS)
_RENAL = st.tuples(_problems((Problem.DIALYSIS, Problem.KIDNEY_TRANSPLANT)))
PROCEDURE_LISTS = st.builds(ProblemList, st.one_of(*[st.just(())] * 6, _RENAL))

EGFRS = (3, 9, 14, 15, 16, 22, 29, 30, 31, 38, 44, 45, 46, 52, 59, 60, 61, 75, 89, 90, 91, 120)
FRESH = (0, 1, 30, 89, 90, 91, 200, 364, 365)
ANY_AGE = (*FRESH, 366, 700, 1825, 1827, 4000)


def egfr(
    value: int, days: int, method: EgfrMethod = EgfrMethod.CKD_EPI_2021_CR, bound: Bound = Bound.EXACT
) -> EgfrResult:
    return EgfrResult(Egfr.of(value), bound, method, NOW - timedelta(days=days), True, HERE)


_REPORTED = st.builds(
    egfr,
    st.sampled_from(EGFRS),
    st.sampled_from(ANY_AGE),
    st.sampled_from([method for method in EgfrMethod if method is not EgfrMethod.SCHWARTZ]),
    often(Bound.EXACT, Bound.ABOVE, Bound.BELOW),
)
_CREATININES = st.sampled_from(
    [
        CreatinineResult(SerumCreatinine.of(value), NOW - timedelta(days=days), HERE)
        for value in ("0.6", "0.9", "1.2", "1.25", "1.9", "3.4", "7")
        for days in (0, 1, 2, 5, 8, 100, 364, 366)
    ]
)
_CYSTATINS = st.sampled_from(
    [
        CystatinResult(CystatinC.of(value), NOW - timedelta(days=days), HERE)
        for value in ("0.7", "1.1", "2.2")
        for days in (0, 5, 91, 366)
    ]
)
KIDNEY_RESULTS = st.builds(
    KidneyResults,
    st.lists(_REPORTED, max_size=2).map(tuple),
    st.lists(_CREATININES, max_size=3).map(tuple),
    st.lists(_CYSTATINS, max_size=1).map(tuple),
    often((), ("creatinine of 2026-10-01 has no unit",)),
    GAPS,
)
"""One or two reported values, creatinines that may be rising, cystatin C; or nothing."""


# --------------------------------------------------------------------------------------------------------- the person

ADULTS = tuple(map(Age.of, (18, 40, 64, 65, 66, 80)))
AGES = st.sampled_from((*ADULTS, not_recorded(Input.AGE)))
CHILDREN = st.sampled_from(tuple(map(Age.of, (0, 3, 7, 8, 12, 17))))

_BODIES = st.builds(
    BodyMeasurements,
    st.sampled_from((None, (Weight.of(20), ago(10)), (Weight.of(70), ago(10)))),
    st.sampled_from((None, (Height.of(120), ago(10)))),
)
_DRINKING = st.builds(
    AlcoholFinding, st.sampled_from(AlcoholTest), st.sampled_from((True, False, None)), st.just(ChartText("AUDIT-C 8")),
    days_ago(1, 100, 400), st.just(HERE),
)  # fmt: skip
OBSERVATIONS = st.one_of(
    st.just(not_recorded(Input.OBSERVATIONS)),
    st.builds(
        Observations,
        _BODIES,
        st.lists(_DRINKING, max_size=1).map(tuple),
        st.sampled_from((None, None, (True, ago(20)), (False, ago(20)))),
    ),
)
_ALLERGIES = st.builds(
    Allergy, st.just(ChartText("baclofen")), st.booleans(), st.sampled_from(((), (ChartText("<i>rash</i>"),))),
    st.just(frozenset[Problem]()), days_ago(None, 400), st.just(HERE),
)  # fmt: skip

_PARTS: dict[str, st.SearchStrategy[Any]] = {
    "now": st.just(NOW),
    "hook": st.just(Hook.ORDER_SIGN),
    "orders": st.tuples(ORDERS),
    "drafted": st.one_of(st.just(()), st.just(()), st.tuples(DRAFTED)),
    "drafted_unrecognised": st.just(()),
    "orders_for_other_patients": often(0, 1),
    "age": AGES,
    "sex": st.sampled_from(Sex),
    "deceased": st.just(False),
    "setting": st.sampled_from(Setting),
    "kidney": KIDNEY_RESULTS,
    "problems": PROBLEM_LISTS,
    "procedures": PROCEDURE_LISTS,
    "medications": MEDICATION_LISTS,
    "allergies": st.one_of(st.just(()), st.just(()), st.just(()), st.tuples(_ALLERGIES)),
    "observations": OBSERVATIONS,
    "jurisdiction": st.sampled_from(Jurisdiction),
}


def people(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[PatientFacts]:
    """An adult and an order; a keyword names the strategy of one member of ``PatientFacts``."""
    return st.builds(PatientFacts, **(_PARTS | fixed))


ANYONE = people()
ANYONE_EITHER_HOOK = people(hook=st.sampled_from(Hook), age=st.one_of(AGES, AGES, AGES, CHILDREN))

GONE = {
    "age": not_available(Input.AGE),
    "kidney": not_available(Input.KIDNEY_RESULTS),
    "problems": not_available(Input.PROBLEMS),
    "procedures": not_available(Input.PROCEDURES),
    "medications": not_available(Input.MEDICATIONS),
}
"""Members of ``PatientFacts`` that an EHR may fail to send."""
