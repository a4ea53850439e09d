"""rules.md 5.4: opioid-coprescription, cns-depressant-load, respiratory-disease."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.case import Case, Indication, Kind
from cards.facts import (
    AlcoholFinding,
    AlcoholTest,
    ChartText,
    DrugClass,
    Ingredient,
    Input,
    Medication,
    MedicationList,
    Observations,
    Origin,
    Problem,
    ProblemList,
    Route,
    Setting,
    Standing,
    Unreadable,
)  # fmt: skip
from cards.kidney import AcuteInjury, Tier
from cards.opioids_and_sedatives import mme, triggers
from cards.opioids_and_sedatives.limits import Limits
from cards.opioids_and_sedatives.opioids import opioid_coprescription
from cards.opioids_and_sedatives.rule import RULES
from cards.opioids_and_sedatives.sedatives import cns_depressant_load, respiratory_disease
from cards.outcome import CannotAssess, ChangeDose, CoPrescribeNaloxone, Finding, Indicator, NotIndicated, Outcome
from cards.quantities import DailyDose, Mme
from tests.unit.cases import (
    NOW,
    kidney_function,
    limits_of,
    make_case,
    medication,
    not_available,
    not_recorded,
    problem,
    written,
)  # fmt: skip

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
TODAY = NOW.date()
CUT_SHORT = "further pages were not read"


def limits() -> Limits:
    read: Limits = limits_of("opioids_and_sedatives/card.toml", Limits)
    return read


def ago(days: int) -> Any:
    return TODAY - timedelta(days=days)


def opioid(name: str = "oxycodone", daily: float | None = 30, **other: Any) -> Medication:
    dose = None if daily is None else DailyDose.of(str(daily))
    given: dict[str, Any] = {
        "label": ChartText(f"{name} tablet"), "started": ago(180), "opioids": (Ingredient(name, dose),),
    }  # fmt: skip
    return medication(DrugClass.OPIOID, **(given | other))


def drank(test: AlcoholTest, days: int, *, positive: bool | None = True) -> Observations:
    shown = ChartText(f"{test} 8")
    return Observations(alcohol=(AlcoholFinding(test, positive, shown, ago(days), Origin("Observation/1")),))


def chart(*medicines: Medication, **other: Any) -> MedicationList:
    return MedicationList(medicines, **other)


def level(outcome: Outcome) -> Indicator | None:
    assert not isinstance(outcome, CannotAssess), outcome
    return outcome.indicator if isinstance(outcome, Finding) else None


def opioids(**given: Any) -> Outcome:
    return opioid_coprescription(make_case(**given), limits())


def load(*classes: DrugClass, **given: Any) -> Outcome:
    return cns_depressant_load(make_case(medications=classes, **given), limits())


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


# ------------------------------------------------------------------------------------------- the table of kinds x T

KINDS: dict[str, dict[str, Any]] = {
    "initiation": {},
    "increase": {"ordered": 30, "current": 15},
    "pump": {"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL, "ordered": 30},
    "unknown": {"ordered": Unreadable("free text")},
    "unchanged": {"ordered": 30, "current": 30, "since_change": 10},
    "stable": {"ordered": 30, "current": 30, "since_change": 700},
    "decrease": {"ordered": 15, "current": 30},
    "stop": {"ordered": None, "current": 30},
}
RISING = ("initiation", "increase", "pump", "unknown")
NEW, OLD = {"started": ago(30)}, {"started": ago(31)}


@pytest.mark.parametrize(
    ("kind", "which", "triggered", "plain"),
    [
        *((kind, opioid, CRITICAL, WARNING) for kind in RISING for opioid in (NEW, OLD)),
        ("unchanged", NEW, CRITICAL, WARNING),
        ("stable", NEW, CRITICAL, WARNING),
        ("unchanged", OLD, WARNING, WARNING),
        ("stable", OLD, WARNING, WARNING),
        ("decrease", NEW, INFO, INFO),
        ("stop", NEW, None, None),
    ],
)  # fmt: skip
def test_the_table_without_naloxone(
    kind: str, which: dict[str, Any], triggered: Indicator | None, plain: Indicator | None
) -> None:
    one = chart(opioid(**which))
    assert level(opioids(medications=one, problems=[Problem.RESPIRATORY_RISK], **KINDS[kind])) is triggered
    assert level(opioids(medications=one, **KINDS[kind])) is plain


@pytest.mark.parametrize(
    ("kind", "which", "expected"),
    [
        ("initiation", OLD, WARNING),
        ("unchanged", NEW, WARNING),
        ("unchanged", OLD, INFO),
        ("stable", OLD, INFO),
        ("decrease", OLD, None),
        ("stop", OLD, None),
    ],
)
def test_naloxone_on_file_lowers_only_what_is_long_standing_or_decreasing(
    kind: str, which: dict[str, Any], expected: Indicator | None
) -> None:
    assert level(opioids(medications=chart(opioid(**which), rescue_on_file=ago(90)), **KINDS[kind])) is expected


def test_a_drafted_opioid_is_new_also_beside_an_unchanged_baclofen_order() -> None:
    drafted = opioid(standing=Standing.DRAFT, started=None)
    outcome = opioids(drafted=[drafted], problems=[Problem.RESPIRATORY_RISK], **KINDS["stable"])
    assert level(outcome) is CRITICAL


def test_an_opioid_without_a_start_is_shown_and_not_called_new() -> None:
    outcome = found(opioids(medications=chart(opioid(started=None)), problems=[Problem.OVERDOSE], **KINDS["stable"]))
    assert outcome.indicator is WARNING
    assert "start not recorded" in str(outcome.values["opioids"])


def test_a_stopped_pump_order_is_a_stop() -> None:
    pump = make_case(
        medications=chart(opioid()), ordered=None, current=0, kind=Kind.INTRATHECAL, route=Route.INTRATHECAL
    )
    assert level(opioid_coprescription(pump, limits())) is None


@pytest.mark.parametrize("standing", [Standing.ACTIVE, Standing.ON_HOLD, Standing.RECENT])
def test_active_held_and_recently_ended_opioids_count(standing: Standing) -> None:
    assert level(opioids(medications=chart(opioid(standing=standing, ended=ago(5))))) is WARNING


def test_no_opioid_is_silent_when_the_list_was_read() -> None:
    outcome = opioids(medications=[DrugClass.BENZODIAZEPINE, DrugClass.OPIOID_RESCUE, DrugClass.OPIOID_ANTAGONIST])
    assert isinstance(outcome, NotIndicated)


# --------------------------------------------------------------------------------------------------------- triggers


@pytest.mark.parametrize(
    ("name", "daily", "expected"),
    [
        ("oxycodone", 30, None),  # 45 MME
        ("oxycodone", 33.3, None),  # 49.95
        ("oxycodone", "33.4", "opioids come to 50.1 MME/day (limit 50 MME/day)"),
        ("oxycodone", 60, "opioids come to 90 MME/day (limit 50 MME/day)"),
        ("hydrocodone", 49.9, None),
        ("hydrocodone", 50, "opioids come to 50 MME/day (limit 50 MME/day)"),
        ("morphine", 49.9, None),
        ("morphine", 50, "opioids come to 50 MME/day (limit 50 MME/day)"),
        ("codeine", 333, None),  # 49.95
        ("codeine", 334, "opioids come to 50.1 MME/day (limit 50 MME/day)"),
        ("oxymorphone", 16.6, None),  # 49.8
        ("oxymorphone", 17, "opioids come to 51 MME/day (limit 50 MME/day)"),
        *((name, 1000, None) for name in ("hydromorphone", "methadone", "tramadol", "fentanyl")),
        *((name, 1000, None) for name in ("buprenorphine", "tapentadol")),
    ],
)  # fmt: skip
def test_morphine_equivalents_from_50(name: str, daily: float, expected: str | None) -> None:
    case = make_case(medications=chart(opioid(name, daily)))
    assert triggers.many_morphine_equivalents(case, limits()) == expected
    assert level(opioid_coprescription(case, limits())) is (CRITICAL if expected else WARNING)


def test_a_total_that_is_not_whole_says_at_least() -> None:
    case = make_case(medications=chart(opioid("morphine", 60), opioid("tramadol", 100)))
    assert (
        triggers.many_morphine_equivalents(case, limits()) == "opioids come to at least 60 MME/day (limit 50 MME/day)"
    )
    outcome = found(opioid_coprescription(case, limits()))
    assert "mme_partly" in outcome.detail
    assert outcome.values["left_out"] == "tramadol (conversion uncertain)"


@pytest.mark.parametrize(
    "medicine",
    [
        opioid("oxycodone", None),
        opioid("morphine", 500, flags=frozenset({"parenteral"})),
        opioid("methadone", 80),
        opioid(opioids=()),
    ],
)
def test_what_cannot_be_computed_does_not_trigger_and_is_said(medicine: Medication) -> None:
    outcome = found(opioids(medications=chart(medicine)))
    assert outcome.indicator is WARNING
    assert outcome.values["mme"] == ""
    assert "mme_none" in outcome.detail
    assert outcome.values["left_out"]


@pytest.mark.parametrize(
    ("medicines", "expected"),
    [
        ([opioid("oxycodone", 20), opioid("morphine", 15)], 45),
        ([opioid(label=ChartText("ER")), opioid(label=ChartText("IR"))], 90),  # two products are both taken
        ([opioid(), opioid()], 90),  # two chart orders of one product: morning and night
        ([opioid(), opioid(standing=Standing.DRAFT)], 45),  # the product is ordered again
        ([opioid(daily=20), opioid(daily=30, standing=Standing.DRAFT)], 45),
        ([opioid(), opioid(daily=20, standing=Standing.DRAFT, label=ChartText("IR"))], 75),
        ([opioid(daily=60, standing=Standing.RECENT, ended=ago(3)), opioid()], 90),  # replaced: the higher counts once
        ([opioid("morphine", 10, standing=Standing.RECENT, ended=ago(3)), opioid()], 55),
        ([opioid(standing=Standing.RECENT, ended=None), opioid(label=ChartText("IR"))], 90),  # supply not known
        ([], 0),
    ],
)  # fmt: skip
def test_the_total_counts_what_is_taken_once(medicines: list[Medication], expected: int) -> None:
    assert mme.total(medicines, limits().factors).counted == Mme.of(expected)


def test_what_lies_below_the_limit_never_reads_as_the_limit() -> None:
    assert str(mme.shown(Mme.of("49.999"))) == "49.9 MME/day"
    assert str(mme.shown(Mme.of("50"))) == "50 MME/day"


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("depressant", {"medications": [DrugClass.GABAPENTINOID]},
         "other CNS depressant: gabapentinoids (gabapentinoid, start not recorded)"),
        ("drafted depressant", {"drafted": [medication(DrugClass.Z_DRUG, standing=Standing.DRAFT)]},
         "other CNS depressant: z-drugs (Z-drug, drafted now)"),
        ("an SSRI is no depressant", {"medications": [DrugClass.ANTIDEPRESSANT_SSRI_SNRI]}, None),
        ("lung", {"problems": [problem(Problem.RESPIRATORY_RISK, recorded=ago(900))]},
         f"breathing: respiratory-depression-risk ({ago(900)})"),
        ("resolved lung", {"problems": [problem(Problem.RESPIRATORY_RISK, active=False)]}, None),
        ("overdose, long ago", {"problems": [problem(Problem.OVERDOSE, active=False)]},
         "earlier overdose: overdose (no date)"),
        ("K3b, 65", {"tier": Tier.K3B, "age": 65}, "age 65 with eGFR 38 mL/min/1.73 m²"),
        ("K3a, 65", {"tier": Tier.K3A, "age": 65}, "age 65 with eGFR 50 mL/min/1.73 m²"),
        ("K3a, 64", {"tier": Tier.K3A, "age": 64}, None),
        ("K2, 90", {"tier": Tier.K2, "age": 90}, None),
        ("K4", {"tier": Tier.K4}, "eGFR 22 mL/min/1.73 m²"),
        ("K5", {"tier": Tier.K5}, "eGFR 10 mL/min/1.73 m²"),
        ("dialysis", {"tier": Tier.DIALYSIS}, "dialysis"),
        ("child on dialysis",
         {"kidney": kidney_function(Tier.CHILD, dialysis=ChartText("haemodialysis")), "age": 9}, "dialysis"),
        ("AKI", {"acute": AcuteInjury(None, None, "a diagnosis")}, "possible acute kidney injury"),
        ("baclofen 80", {"ordered": "20 mg QID", "current": 60}, None),
        ("baclofen 82.5", {"ordered": 82.5, "current": 60}, "baclofen 82.5 mg/day (above 80 mg/day)"),
        ("a later step", {"ordered": "20 mg TID x7 d, then 30 mg TID"}, "baclofen 90 mg/day (above 80 mg/day)"),
        ("AUD", {"indication": Indication.ALCOHOL_USE_DISORDER}, "indication alcohol use disorder"),
        ("apparently AUD", {"indication": Indication.APPARENTLY_ALCOHOL_USE_DISORDER},
         "indication apparently alcohol use disorder"),
        ("AUD code, spasticity order", {"problems": [Problem.ALCOHOL_USE_DISORDER]}, None),
        ("intoxication 3 d ago", {"problems": [problem(Problem.ALCOHOL_INTOXICATION, recorded=ago(3))]},
         f"alcohol: alcohol-intoxication ({ago(3)})"),
        ("intoxication 4 d ago", {"problems": [problem(Problem.ALCOHOL_INTOXICATION, recorded=ago(4))]}, None),
        ("AUDIT-C a year ago", {"observations": drank(AlcoholTest.AUDIT_C, 365)}, f"alcohol: AUDIT-C 8 ({ago(365)})"),
        ("AUDIT-C over a year ago", {"observations": drank(AlcoholTest.AUDIT_C, 366)}, None),
        ("PEth 90 d ago", {"observations": drank(AlcoholTest.PETH, 90)}, f"alcohol: PEth 8 ({ago(90)})"),
        ("PEth 91 d ago", {"observations": drank(AlcoholTest.PETH, 91)}, None),
        ("ethanol 3 d ago", {"observations": drank(AlcoholTest.ETHANOL, 3)}, f"alcohol: ethanol 8 ({ago(3)})"),
        ("ethanol 4 d ago", {"observations": drank(AlcoholTest.ETHANOL, 4)}, None),
        ("negative AUDIT-C", {"observations": drank(AlcoholTest.AUDIT_C, 5, positive=False)}, None),
        ("intoxication undated", {"problems": [problem(Problem.ALCOHOL_INTOXICATION)]}, None),
    ],
)  # fmt: skip
def test_each_trigger_says_what_it_met(kind: str, given: dict[str, Any], expected: str | None) -> None:
    medicines = [opioid("tramadol", 100), *(medication(m) for m in given.pop("medications", ()))]
    case = make_case(medications=chart(*medicines), **given)
    assert triggers.met(case, limits()) == ((expected,) if expected else ())
    assert level(opioid_coprescription(case, limits())) is (CRITICAL if expected else WARNING)


def test_tests_of_drinking_that_were_not_read_are_named_where_they_could_matter() -> None:
    unread = not_available(Input.OBSERVATIONS)
    assert unread in found(opioids(medications=chart(opioid()), observations=unread)).unchecked
    assert unread not in found(opioids(medications=chart(opioid()), observations=unread, tier=Tier.K4)).unchecked
    unclear = found(opioids(medications=chart(opioid()), observations=drank(AlcoholTest.PETH, 5, positive=None)))
    assert [gap.reason for gap in unclear.unchecked] == ["PEth 8"]


# ------------------------------------------------------------------------------------------- hospice, naloxone, dose


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("initiation", {"problems": [Problem.HOSPICE]}, INFO),
        ("initiation", {"problems": [Problem.HOSPICE, Problem.OVERDOSE]}, WARNING),
        ("stable", {"problems": [Problem.HOSPICE]}, INFO),
        ("initiation", {"problems": [problem(Problem.HOSPICE, active=False)]}, WARNING),
    ],
)
def test_hospice_care_lowers_by_one_level(kind: str, given: dict[str, Any], expected: Indicator) -> None:
    assert level(opioids(medications=chart(opioid("morphine", 20)), **given, **KINDS[kind])) is expected


@pytest.mark.parametrize(
    ("medicines", "given", "summary", "words"),
    [
        (chart(opioid()), {}, "naloxone", "naloxone"),
        (chart(opioid(), rescue_on_file=ago(365)), {}, "naloxone_at_hand", "naloxone_at_hand"),
        (chart(opioid(), rescue_on_file=ago(366)), {}, "naloxone", "naloxone"),
        (chart(opioid()), {"drafted": [DrugClass.OPIOID_RESCUE]}, "naloxone_at_hand", "naloxone_at_hand"),
        (chart(opioid()), {"setting": Setting.INPATIENT}, "no_naloxone", "naloxone_at_discharge"),
        (chart(opioid()), {"setting": Setting.UNKNOWN}, "naloxone", "naloxone"),
        (chart(opioid()), {"problems": [Problem.HOSPICE]}, "no_naloxone", "hospice"),
        (chart(opioid(), rescue_on_file=ago(30)), {"problems": [Problem.HOSPICE]}, "no_naloxone", "hospice"),
        (chart(opioid(), incomplete=CUT_SHORT), {}, "naloxone", "naloxone_not_known"),
    ],
)
def test_naloxone_is_offered_unless_it_is_there_or_not_wanted(
    medicines: MedicationList, given: dict[str, Any], summary: str, words: str
) -> None:
    outcome = found(opioids(medications=medicines, **given))
    assert outcome.summary == summary
    assert (CoPrescribeNaloxone() in outcome.proposals) is (summary == "naloxone")
    assert words in outcome.detail


def changed(outcome: Outcome) -> str | None:
    doses = [str(p.regimen) for p in found(outcome).proposals if isinstance(p, ChangeDose)]
    return doses[0] if doses else None


@pytest.mark.parametrize(
    ("tier", "age", "ordered", "expected"),
    [
        (Tier.K1, 50, "5 mg TID", None),
        (Tier.K1, 50, "5 mg QID", "5 mg TID (15 mg/day)"),
        (Tier.K2, 64, "5 mg TID", None),
        (Tier.K2, 64, "5 mg QID", "5 mg BID (10 mg/day)"),
        (Tier.K2, 65, "5 mg TID", "5 mg BID (10 mg/day)"),
        (Tier.K2, 65, "5 mg BID", None),
        (Tier.K1, 65, "5 mg TID", "5 mg BID (10 mg/day)"),
        (Tier.UNKNOWN, 50, "5 mg TID", "5 mg BID (10 mg/day)"),
        (Tier.UNKNOWN, 50, "5 mg BID", None),
        (Tier.K3A, 50, "10 mg TID", None),
        (Tier.K4, 50, "10 mg TID", None),
        (Tier.DIALYSIS, 50, "10 mg TID", None),
        (Tier.CHILD, 12, "10 mg TID", None),
    ],
)
def test_a_high_start_gets_the_recommended_one(tier: Tier, age: int, ordered: str, expected: str | None) -> None:
    outcome = opioids(medications=chart(opioid()), tier=tier, age=age, ordered=ordered)
    assert changed(outcome) == expected
    assert ("start" in found(outcome).detail) is (expected is not None)


@pytest.mark.parametrize(
    "given",
    [
        {"ordered": 30, "current": 20},  # an increase is not a start
        {"ordered": 30, "current": None},  # resolutions.md 2
        {"ordered": 30, "acute": AcuteInjury(None, None, "a diagnosis")},
        {"ordered": 30, "kidney": not_available(Input.KIDNEY_RESULTS)},
        {"ordered": Unreadable("free text")},
    ],
)
def test_no_dose_is_named_where_the_start_is_not_ours_or_not_known(given: dict[str, Any]) -> None:
    assert changed(opioids(medications=chart(opioid()), **given)) is None


def test_an_unread_current_dose_is_said() -> None:
    outcome = found(opioids(medications=chart(opioid()), current=None))
    assert "S-CURRENT-UNKNOWN" in outcome.detail


@pytest.mark.parametrize("drug", ["methadone", "buprenorphine"])
def test_treatment_of_opioid_use_disorder_is_kept(drug: str) -> None:
    by_name = found(opioids(medications=chart(opioid(drug, 80))))
    by_flag = found(opioids(medications=chart(opioid(opioids=(), flags=frozenset({drug})))))
    for outcome in (by_name, by_flag):
        assert "keep_treatment" in outcome.detail
        assert outcome.values["treatments"] == drug
    assert "keep_treatment" not in found(opioids(medications=chart(opioid()))).detail


# ------------------------------------------------------------------------------------------------ what was not read


def test_unread_medicines_cannot_be_assessed() -> None:
    missing = not_available(Input.MEDICATIONS)
    assert opioids(medications=missing) == CannotAssess("opioid-coprescription", (missing,))
    cut_short = opioids(medications=MedicationList(incomplete=CUT_SHORT))
    assert isinstance(cut_short, CannotAssess)
    assert [(m.what, m.reason) for m in cut_short.missing] == [(Input.MEDICATIONS, CUT_SHORT)]


def test_an_opioid_that_is_seen_counts_though_the_rest_is_unread() -> None:
    missing = not_available(Input.MEDICATIONS)
    drafted = opioid(standing=Standing.DRAFT, started=None)
    unread = found(opioids(medications=missing, drafted=[drafted], current=None))
    assert (unread.indicator, unread.unchecked) == (WARNING, (missing,))
    cut_short = found(opioids(medications=chart(opioid("morphine", 90), incomplete=CUT_SHORT)))
    assert cut_short.indicator is CRITICAL
    assert [m.reason for m in cut_short.unchecked] == [CUT_SHORT]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"problems": not_available(Input.PROBLEMS)}, [Input.PROBLEMS]),
        ({"problems": ProblemList(incomplete=CUT_SHORT)}, [Input.PROBLEMS]),
        ({"kidney": not_available(Input.KIDNEY_RESULTS)}, [Input.KIDNEY_RESULTS]),
        ({"kidney": kidney_function(Tier.K2, unchecked=(not_available(Input.PROCEDURES),))}, [Input.PROCEDURES]),
        ({"tier": Tier.K3A, "age": not_recorded(Input.AGE)}, [Input.AGE]),
        ({"tier": Tier.K2, "age": not_recorded(Input.AGE)}, []),
        ({}, []),
    ],
)
def test_inputs_that_could_have_met_a_trigger_are_named(given: dict[str, Any], expected: list[Input]) -> None:
    outcome = found(opioids(medications=chart(opioid()), **given))
    assert outcome.indicator is WARNING
    assert [missing.what for missing in outcome.unchecked] == expected


@pytest.mark.parametrize(("kind", "medicine"), [("stable", opioid()), ("initiation", opioid("morphine", 90))])
def test_an_unread_problem_list_is_not_named_where_no_trigger_could_raise_the_card(
    kind: str, medicine: Medication
) -> None:
    outcome = found(opioids(medications=chart(medicine), problems=not_available(Input.PROBLEMS), **KINDS[kind]))
    assert outcome.unchecked == ()


# ------------------------------------------------------------------------------------------------- other depressants

BENZO, SMR, ANTIPSYCHOTIC = DrugClass.BENZODIAZEPINE, DrugClass.MUSCLE_RELAXANT, DrugClass.ANTIPSYCHOTIC
GABA, OXYBATE, SSRI = DrugClass.GABAPENTINOID, DrugClass.SODIUM_OXYBATE, DrugClass.ANTIDEPRESSANT_SSRI_SNRI


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        #                                initiation increase pump   unknown  unchanged stable  decrease stop
        ((), (None, None, None, None, None, None, None, None)),
        ((GABA,), (None, None, None, None, None, None, None, None)),
        ((BENZO,), (INFO, None, INFO, INFO, None, None, None, None)),
        ((BENZO, GABA), (WARNING, WARNING, WARNING, WARNING, WARNING, INFO, None, None)),
        ((BENZO, GABA, SMR), (WARNING, WARNING, WARNING, WARNING, WARNING, WARNING, None, None)),
        ((OXYBATE,), (CRITICAL, CRITICAL, WARNING, CRITICAL, WARNING, WARNING, WARNING, None)),
        ((OXYBATE, BENZO), (CRITICAL, CRITICAL, WARNING, CRITICAL, WARNING, WARNING, WARNING, None)),
        ((SSRI, DrugClass.ANTIEPILEPTIC), (None,) * 8),
    ],
)
def test_depressants_by_kind(classes: tuple[DrugClass, ...], expected: tuple[Indicator | None, ...]) -> None:
    kinds = ("initiation", "increase", "pump", "unknown", "unchanged", "stable", "decrease", "stop")
    assert tuple(level(load(*classes, **KINDS[kind])) for kind in kinds) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("initiation", WARNING), ("increase", WARNING), ("pump", WARNING), ("unknown", WARNING), ("unchanged", WARNING),
     ("stable", INFO), ("decrease", None), ("stop", None)],
)  # fmt: skip
def test_three_cns_active_classes_at_65(kind: str, expected: Indicator | None) -> None:
    assert level(load(GABA, SSRI, age=65, **KINDS[kind])) is expected
    assert level(load(GABA, SSRI, age=64, **KINDS[kind])) is None
    assert level(load(GABA, age=65, **KINDS[kind])) is None
    assert level(load(GABA, SSRI, age=65, problems=[Problem.HOSPICE], **KINDS[kind])) is None


@pytest.mark.parametrize("alone", [BENZO, SMR, DrugClass.Z_DRUG, DrugClass.BARBITURATE])
def test_these_deserve_a_word_alone(alone: DrugClass) -> None:
    assert level(load(alone)) is INFO


@pytest.mark.parametrize(
    "alone",
    [
        GABA,
        ANTIPSYCHOTIC,
        DrugClass.SEDATING_ANTIDEPRESSANT,
        DrugClass.SEDATING_ANTIHISTAMINE,
        DrugClass.OTHER_SEDATIVE,
    ],
)
def test_these_are_silent_alone_and_count_with_another(alone: DrugClass) -> None:
    assert level(load(alone)) is None
    assert level(load(alone, DrugClass.Z_DRUG)) is WARNING


def test_classes_are_counted_not_orders() -> None:
    two_benzodiazepines = [
        medication(BENZO, label=ChartText("clonazepam")),
        medication(BENZO, label=ChartText("lorazepam")),
    ]
    assert level(load(*two_benzodiazepines)) is INFO  # type: ignore[arg-type]
    combination = medication(BENZO, DrugClass.SEDATING_ANTIDEPRESSANT)
    assert level(load(combination)) is WARNING  # type: ignore[arg-type]


def test_opioids_count_once_among_cns_active_medicines() -> None:
    two = chart(opioid("tramadol", 100), opioid("codeine", 30))
    assert level(cns_depressant_load(make_case(medications=two, age=74), limits())) is None
    with_gabapentin = chart(opioid("tramadol", 100), medication(GABA))
    outcome = found(cns_depressant_load(make_case(medications=with_gabapentin, age=74), limits()))
    assert (outcome.indicator, outcome.summary) == (WARNING, "beers")
    assert "tramadol tablet (opioid" in str(outcome.values["medicines"])


def test_no_dose_is_suggested_by_the_load_itself() -> None:
    assert found(load(BENZO, GABA, age=80)).proposals == ()


def test_depressants_in_unread_lists() -> None:
    missing = not_available(Input.MEDICATIONS)
    case = make_case(medications=missing, current=None)
    assert cns_depressant_load(case, limits()) == CannotAssess("cns-depressant-load", (missing,))
    cut_short = MedicationList(incomplete=CUT_SHORT)
    assert isinstance(cns_depressant_load(make_case(medications=cut_short), limits()), CannotAssess)
    seen = chart(medication(BENZO), medication(GABA), incomplete=CUT_SHORT)
    outcome = found(cns_depressant_load(make_case(medications=seen), limits()))
    assert outcome.indicator is WARNING
    assert [m.reason for m in outcome.unchecked] == [CUT_SHORT]


def test_an_unread_age_is_named_where_it_decides() -> None:
    unknown = not_recorded(Input.AGE)
    assert load(GABA, SSRI, age=unknown) == CannotAssess("cns-depressant-load", (unknown,))
    assert level(load(GABA, age=unknown)) is None
    outcome = found(load(BENZO, SSRI, age=unknown))
    assert (outcome.indicator, outcome.unchecked) == (INFO, (unknown,))


# -------------------------------------------------------------------------------------------------------- the lungs


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("initiation", INFO), ("unknown", INFO), ("increase", None), ("pump", None), ("unchanged", None), ("stop", None)],
)
def test_lung_disease_is_a_word_at_the_start(kind: str, expected: Indicator | None) -> None:
    case = make_case(problems=[Problem.RESPIRATORY_RISK], **KINDS[kind])
    assert level(respiratory_disease(case, limits())) is expected


def test_lung_disease_in_unread_lists() -> None:
    missing = not_available(Input.PROBLEMS)
    assert respiratory_disease(make_case(problems=missing), limits()) == CannotAssess("respiratory-disease", (missing,))
    cut_short = respiratory_disease(make_case(problems=ProblemList(incomplete=CUT_SHORT)), limits())
    assert isinstance(cut_short, CannotAssess)
    seen = ProblemList((problem(Problem.RESPIRATORY_RISK),), incomplete=CUT_SHORT)
    assert level(respiratory_disease(make_case(problems=seen), limits())) is INFO
    assert level(respiratory_disease(make_case(), limits())) is None


def test_children_are_judged_as_adults_are() -> None:
    child = {"tier": Tier.CHILD, "age": 12}
    assert level(opioids(medications=chart(opioid("morphine", 50)), **child)) is CRITICAL
    assert level(load(BENZO, GABA, **child)) is WARNING


# -------------------------------------------------------------------------------------------------------- properties

MEDICINES = st.one_of(
    st.builds(
        opioid,
        st.sampled_from(["oxycodone", "hydrocodone", "morphine", "codeine", "tramadol", "methadone", "buprenorphine"]),
        st.one_of(st.none(), st.integers(0, 120)),
        standing=st.sampled_from(Standing),
        started=st.one_of(st.none(), st.integers(0, 60).map(ago)),
        ended=st.one_of(st.none(), st.integers(0, 7).map(ago)),
        label=st.sampled_from([ChartText("IR tablet"), ChartText("ER tablet")]),
    ),
    st.builds(
        lambda kinds, days: medication(*sorted(kinds), started=ago(days)),
        st.sets(st.sampled_from(DrugClass), min_size=1, max_size=3),
        st.integers(0, 60),
    ),
)
PATIENTS = st.fixed_dictionaries(
    {"age": st.sampled_from([12, 50, 64, 65, 80]), "tier": st.sampled_from([Tier.K1, Tier.K2, Tier.K3B, Tier.UNKNOWN])}
)


def both(case: Case) -> tuple[Outcome, Outcome]:
    return opioid_coprescription(case, limits()), cns_depressant_load(case, limits())


def rank(outcome: Outcome) -> int:
    return outcome.indicator if isinstance(outcome, Finding) else 0


@given(st.lists(MEDICINES, max_size=5), MEDICINES, st.sampled_from(list(KINDS)), PATIENTS, st.booleans())
def test_one_more_opioid_or_depressant_never_lowers_the_indicator(
    medicines: list[Medication], more: Medication, kind: str, patient: dict[str, Any], naloxone: bool
) -> None:
    on_file = ago(30) if naloxone else None
    before = both(make_case(medications=chart(*medicines, rescue_on_file=on_file), **patient, **KINDS[kind]))
    after = both(make_case(medications=chart(*medicines, more, rescue_on_file=on_file), **patient, **KINDS[kind]))
    assert all(rank(new) >= rank(old) for old, new in zip(before, after, strict=True))


@given(
    st.lists(MEDICINES, max_size=5).flatmap(lambda m: st.tuples(st.just(m), st.permutations(m))),
    st.sampled_from(list(KINDS)),
)
def test_the_order_of_medicines_never_matters(lists: tuple[list[Medication], list[Medication]], kind: str) -> None:
    one, other = (make_case(medications=chart(*medicines), **KINDS[kind]) for medicines in lists)
    assert both(one) == both(other)


@given(st.lists(MEDICINES, max_size=5), st.sampled_from(list(KINDS)), PATIENTS)
def test_every_finding_can_be_written(medicines: list[Medication], kind: str, patient: dict[str, Any]) -> None:
    case = make_case(medications=chart(*medicines), problems=[Problem.RESPIRATORY_RISK], **patient, **KINDS[kind])
    for rule in RULES:
        outcome = rule.assess(case, limits())
        if isinstance(outcome, Finding):
            assert written(case, outcome).summary
