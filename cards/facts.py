"""What the clinic knows about one patient and one signing session. Plain values: no FHIR, no clock.

Absence is a value: whatever could not be had is a ``Missing`` with a reason, never an empty list and never a default.
An empty list means that the record was read and holds nothing of that kind.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum, StrEnum

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
from cards.values import frozen, frozen_with_once, once

# --------------------------------------------------------------------------------------------- absence and origin


class Input(StrEnum):
    """What a rule can read. The text is what a prescriber reads in "Could not read ..."."""

    AGE = "age"
    SEX = "sex"
    KIDNEY_RESULTS = "kidney results (eGFR, creatinine)"
    MEDICATIONS = "medication list"
    PROBLEMS = "problem list"
    PROCEDURES = "procedures (dialysis, transplant)"
    ALLERGIES = "allergy list"
    OBSERVATIONS = "alcohol, pregnancy and body measurements"
    ORDER = "this baclofen order"


class Why(Enum):
    NOT_RECORDED = "not recorded"
    """Read, and not there: clinical information."""
    NOT_AVAILABLE = "not available"
    """Could not be read, was not sent, or only in part: says nothing about the patient."""
    UNREADABLE = "unreadable"
    """There, but not in a form that can be trusted."""


@frozen
class Missing:
    what: Input
    why: Why
    reason: str
    """One plain clause for the prescriber and the tester: "the EHR did not send it"."""


@frozen
class Origin:
    """Where a fact came from, for explain and for the audit: never shown as advice."""

    resource: str
    """FHIR reference, "Observation/123"."""
    coding: str = ""
    """The coding that matched, "LOINC 2160-0"; empty when no coding decided."""
    by_text: bool = False
    """Recognised from free text only: said on the card."""


class ChartText(str):
    """A text out of a chart, made safe to show: one line, no control or bidi characters, at most 80 code points."""

    __slots__ = ()
    LONGEST = 80

    @classmethod
    def clean(cls, raw: str) -> ChartText:
        if len(raw) <= cls.LONGEST and raw.isprintable() and "  " not in raw:
            return cls(raw.strip())
        kept = (
            c if unicodedata.category(c)[0] != "C" else ("\ufffd" if "\ud800" <= c <= "\udfff" else " ")
            for c in raw[:2000]
        )
        text = re.sub(r"\s+", " ", "".join(kept)).strip()
        return cls(text if len(text) <= cls.LONGEST else text[: cls.LONGEST - 1].rstrip() + "…")


# ---------------------------------------------------------------------------------------------------- the person


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"
    """Not recorded, "other" or "unknown": both equations are computed and the lower value used (rules.md R7)."""


class Jurisdiction(Enum):
    """Whose labels the words follow: baclofen is licensed for alcohol use disorder in France, not in the US."""

    US = "US"
    FR = "FR"


class Setting(Enum):
    AMBULATORY = "ambulatory"
    INPATIENT = "inpatient"
    UNKNOWN = "unknown"


# -------------------------------------------------------------------------------------------------- kidney results


class EgfrMethod(StrEnum):
    """How a reported eGFR was made; best first (rules.md R1)."""

    CKD_EPI_2021_CR_CYS = "CKD-EPI 2021 creatinine-cystatin C"
    CKD_EPI_2012_CR_CYS = "CKD-EPI 2012 creatinine-cystatin C"
    CYSTATIN_C = "cystatin C alone"
    CKD_EPI_2021_CR = "CKD-EPI 2021 creatinine"
    CKD_EPI_2009 = "CKD-EPI 2009"
    MDRD = "MDRD"
    UNSTATED = "method not stated"
    RACE_NON_BLACK = "race-based, non-Black variant"
    RACE_BLACK = "race-based, Black variant"
    SCHWARTZ = "bedside Schwartz"
    """For children only."""


class Bound(Enum):
    """A comparator on a reported value (rules.md R5)."""

    EXACT = "="
    ABOVE = ">"
    BELOW = "<"


@frozen
class EgfrResult:
    value: Egfr
    bound: Bound
    method: EgfrMethod
    taken: datetime
    indexed: bool
    """False: the unit was mL/min without body surface; used and marked (resolutions.md 13)."""
    origin: Origin


@frozen
class CreatinineResult:
    value: SerumCreatinine
    taken: datetime
    origin: Origin
    bound: Bound = Bound.EXACT
    """ABOVE or BELOW: the laboratory gave only this limit of its measuring range."""


@frozen
class CystatinResult:
    value: CystatinC
    taken: datetime
    origin: Origin


@frozen
class KidneyResults:
    egfrs: tuple[EgfrResult, ...] = ()
    creatinines: tuple[CreatinineResult, ...] = ()
    cystatins: tuple[CystatinResult, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Results that were there and could not be used, each a clause: "creatinine of 2026-10-01 has no unit"."""
    incomplete: str = ""
    """Why the list may lack newer results ("further pages were not read"); empty when it is whole."""


@frozen
class BodyMeasurements:
    """Newest usable weight and height with their dates, for children and Cockcroft-Gault."""

    weight: tuple[Weight, date] | None = None
    height: tuple[Height, date] | None = None


# ------------------------------------------------------------------------------------------- problems and procedures


class Problem(StrEnum):
    """Condition classes; each value is the id of a value set."""

    ACUTE_KIDNEY_INJURY = "acute-kidney-injury"
    ALCOHOL_INTOXICATION = "alcohol-intoxication"
    ALCOHOL_USE_DISORDER = "alcohol-use-disorder"
    AUTONOMIC_DYSREFLEXIA = "autonomic-dysreflexia"
    BACLOFEN_ADVERSE_EVENT = "baclofen-adverse-event"
    BIPOLAR = "bipolar"
    BRAIN_INJURY = "brain-injury"
    CHRONIC_KIDNEY_DISEASE = "chronic-kidney-disease"
    DELIRIUM_HALLUCINATION = "delirium-hallucination-history"
    DEMENTIA = "dementia-cognitive-impairment"
    DEPRESSION = "depression"
    DIABETES = "diabetes"
    DIALYSIS = "dialysis"
    ENCEPHALOPATHY = "encephalopathy"
    FALLS_OR_FRACTURE = "falls-or-fracture"
    HEART_FAILURE = "heart-failure"
    HEPATIC_ENCEPHALOPATHY = "hepatic-encephalopathy"
    HEPATIC_IMPAIRMENT = "hepatic-impairment"
    HOSPICE = "hospice"
    KIDNEY_TRANSPLANT = "kidney-transplant"
    LACTATION = "lactation"
    LOW_MUSCLE_MASS = "low-muscle-mass"
    NEUROGENIC_BLADDER = "neurogenic-bladder"
    OPIOID_USE_DISORDER = "opioid-use-disorder"
    OVERDOSE = "overdose"
    PARKINSONS = "parkinsons"
    PEPTIC_ULCER = "peptic-ulcer"
    PORPHYRIA = "porphyria"
    PREGNANCY = "pregnancy"
    PSYCHOSIS = "psychosis-schizophrenia-spectrum"
    RESPIRATORY_RISK = "respiratory-depression-risk"
    SEIZURE = "seizure-epilepsy"
    SPASTICITY = "spasticity-indications"
    STROKE = "stroke"
    SUICIDALITY = "suicidality-history"
    URINARY_RETENTION = "urinary-retention"


@frozen
class ProblemEntry:
    """One Condition or Procedure of the patient that belongs to at least one class."""

    kinds: frozenset[Problem]
    label: ChartText
    active: bool
    """False: resolved, in remission or inactive: history."""
    recorded: date | None
    """Onset, performed or recorded date; the newest of them that the EHR gives."""
    flags: frozenset[str]
    """Concept flags of the value set: "history-or-remission", "ideation", "ms" ..."""
    origin: Origin

    def is_since(self, oldest: date) -> bool:
        """Of that time. An active entry without a date counts: nothing shows that it is over."""
        return self.recorded >= oldest if self.recorded else self.active


@frozen_with_once
class ProblemList:
    entries: tuple[ProblemEntry, ...] = ()
    incomplete: str = ""

    @once
    def kinds(self) -> frozenset[Problem]:
        return frozenset[Problem]().union(*[entry.kinds for entry in self.entries])

    def of(self, *kinds: Problem) -> tuple[ProblemEntry, ...]:
        """Entries of any of these classes, active or not."""
        if self.kinds.isdisjoint(kinds):
            return ()
        return tuple([entry for entry in self.entries if not entry.kinds.isdisjoint(kinds)])

    def active(self, *kinds: Problem) -> tuple[ProblemEntry, ...]:
        return tuple([entry for entry in self.of(*kinds) if entry.active])


# ----------------------------------------------------------------------------------------------------- medicines


class DrugClass(StrEnum):
    """Drug classes; each value is the id of a value set."""

    ANTIDEPRESSANT_SSRI_SNRI = "ssri-snri"
    ANTIEPILEPTIC = "antiepileptics"
    ANTIHYPERTENSIVE = "antihypertensives"
    ANTIPSYCHOTIC = "antipsychotics"
    BARBITURATE = "barbiturates"
    BENZODIAZEPINE = "benzodiazepines"
    GABAPENTINOID = "gabapentinoids"
    LEVODOPA = "levodopa"
    LITHIUM = "lithium"
    MAOI = "maois"
    MUSCLE_RELAXANT = "other-skeletal-muscle-relaxants"
    NEPHROTOXIC = "nephrotoxic-drugs"
    NSAID = "nsaids"
    OPIOID = "opioid-medications"
    OPIOID_ANTAGONIST = "opioid-antagonist"
    OPIOID_RESCUE = "naloxone-rescue-products"
    OTHER_SEDATIVE = "other-sedative-hypnotics"
    SEDATING_ANTIDEPRESSANT = "tricyclics-and-sedating-antidepressants"
    SEDATING_ANTIHISTAMINE = "sedating-antihistamines"
    SODIUM_OXYBATE = "sodium-oxybate"
    Z_DRUG = "z-drugs"


class Standing(Enum):
    """Where a medicine stands at the moment of signing."""

    DRAFT = "drafted in this session"
    ACTIVE = "active"
    ON_HOLD = "on hold"
    RECENT = "ended or authored recently"


@frozen
class Ingredient:
    """An opioid ingredient and how much of it is taken a day."""

    name: str
    """Lower-case generic name as in the value set: "oxycodone"."""
    daily: DailyDose | None
    """None when the strength, the dose or the frequency is not computable."""


@frozen
class Medication:
    """One medicine of the patient other than baclofen, or one that is drafted in this session."""

    label: ChartText
    classes: frozenset[DrugClass]
    """Every class that one of its ingredients puts it in; empty for "another drug"."""
    flags: frozenset[str]
    """Concept flags: "buprenorphine", "methadone", "tramadol", "antitussive-cold" ..."""
    standing: Standing
    started: date | None
    """Start of the unbroken run of this medicine, as far as the record shows."""
    ended: date | None
    as_needed: bool
    opioids: tuple[Ingredient, ...]
    origin: Origin


class Route(Enum):
    ORAL = "oral"
    INTRATHECAL = "intrathecal"
    TOPICAL = "topical"


@frozen
class Unreadable:
    """A dose that cannot be computed. ``given`` is False when the order has no dose yet (order-select)."""

    reason: str
    given: bool = True


@frozen
class DoseStep:
    """One step of a schedule: all instructions with the same sequence added up."""

    daily: DailyDose
    largest_single: SingleDose
    times_per_day: int
    """Administrations a day, rounded up; 1 for less than daily."""
    lasts: Days | None
    """None: without an end."""


@frozen
class OralDose:
    """A computable oral schedule, first step first; at least one step."""

    steps: tuple[DoseStep, ...]
    as_needed: bool = False
    from_text: bool = False
    """Read from a free text sig by the exact grammar: said on the card."""

    @property
    def start(self) -> DailyDose:
        return self.steps[0].daily

    @property
    def highest(self) -> DailyDose:
        return max(step.daily for step in self.steps)


@frozen
class PumpDose:
    """A computable intrathecal dose."""

    daily: IntrathecalDose
    bolus: bool = False


Dose = OralDose | PumpDose | Unreadable


@frozen
class ChartBaclofen:
    """A baclofen order or statement on the patient's chart."""

    reference: str
    """"MedicationRequest/123"."""
    label: ChartText
    route: Route
    dose: Dose
    standing: Standing
    since: date | None
    """authoredOn (or effective date) of this order."""
    supply_ends: date | None
    ended: bool
    """Stopped, completed or cancelled: history for stability and tolerance."""
    prescriber: ChartText | None
    origin: Origin
    withdrawn: bool = False
    """Cancelled: by the words of FHIR never taken, but some EHRs write it for an order that was."""


@frozen
class MedicationList:
    others: tuple[Medication, ...] = ()
    """Those that a rule may ask about."""
    baclofen: tuple[ChartBaclofen, ...] = ()
    rescue_on_file: date | None = None
    """Newest date of a naloxone or nalmefene rescue product (not an injection given once in hospital)."""
    unrecognised: tuple[ChartText, ...] = ()
    """Active medicines that no code or name identified. "No opioid" cannot be said while this is not empty."""
    incomplete: str = ""
    other_drugs: int = 0
    """Entries for a drug that was recognised and that no rule asks about (resolutions.md 16)."""


# ----------------------------------------------------------------------------------------------------- the order


class Recognised(Enum):
    BY_CODE = "by code"
    BY_TEXT = "by text only"


@frozen
class BaclofenOrder:
    """A baclofen order in this signing session."""

    reference: str
    """"MedicationRequest/d1"; empty when the draft has no id (then it cannot be updated or deleted)."""
    label: ChartText
    route: Route
    dose: Dose
    stops: bool
    """The order ends baclofen: status stopped, cancelled, completed or ended, doNotPerform, or dose 0."""
    prior: str | None
    """Reference that priorPrescription names."""
    prior_found: bool
    """False when ``prior`` names an order that could not be found: the current dose is then unknown."""
    reasons: frozenset[Problem]
    """Classes of the reason that the order states."""
    reason_given: bool
    reason_mentions_alcohol: bool
    recognised: Recognised
    authored: date | None
    origin: Origin


class Hook(Enum):
    ORDER_SELECT = "order-select"
    ORDER_SIGN = "order-sign"


@frozen
class Allergy:
    """A recorded allergy or intolerance to baclofen."""

    label: ChartText
    intolerance: bool
    reactions: tuple[ChartText, ...]
    reaction_kinds: frozenset[Problem]
    recorded: date | None
    origin: Origin
    recorder: ChartText | None = None


class AlcoholTest(StrEnum):
    AUDIT_C = "AUDIT-C"
    PETH = "PEth"
    ETHANOL = "ethanol"


@frozen
class AlcoholFinding:
    """A measured sign of drinking."""

    test: AlcoholTest
    positive: bool | None
    """None: a result is there and could not be read; ``shown`` says why."""
    shown: ChartText
    """ "AUDIT-C 6"."""
    measured: date
    origin: Origin


@frozen
class Observations:
    """Findings other than kidney results."""

    body: BodyMeasurements = BodyMeasurements()
    alcohol: tuple[AlcoholFinding, ...] = ()
    pregnant: tuple[bool | None, date] | None = None
    """The newest word on it; None inside: it could not be read."""
    incomplete: str = ""


@frozen_with_once
class PatientFacts:
    """Everything that the rules may read. Built by ``cds_service.gather``; in tests by vignettes."""

    now: datetime
    """Time of the hook call, UTC, timezone-aware. The only clock that the rules know."""
    hook: Hook
    orders: tuple[BaclofenOrder, ...]
    """Baclofen drafts of this patient, in the order sent; selected ones only at order-select."""
    drafted: tuple[Medication, ...]
    """The other drafts of this session."""
    drafted_unrecognised: tuple[ChartText, ...]
    orders_for_other_patients: int
    """Baclofen drafts that name another patient: not evaluated, and said."""
    age: Age | Missing
    sex: Sex
    deceased: bool
    setting: Setting
    kidney: KidneyResults | Missing
    problems: ProblemList | Missing
    procedures: ProblemList | Missing
    medications: MedicationList | Missing
    allergies: tuple[Allergy, ...] | Missing
    observations: Observations | Missing
    jurisdiction: Jurisdiction
    """Of the site, not of the patient."""
    orders_unread: int = 0
    """Drafts of this patient whose medicine stands nowhere that could be read: any of them may be baclofen."""

    @once
    def today(self) -> date:
        return self.now.date()

    @once
    def taken(self) -> tuple[Medication, ...]:
        """Medicines of the chart, then those that are drafted in this session; baclofen apart."""
        charted = () if isinstance(self.medications, Missing) else self.medications.others
        return (*charted, *self.drafted)

    @once
    def classes_taken(self) -> frozenset[DrugClass]:
        return frozenset[DrugClass]().union(*[medicine.classes for medicine in self.taken])

    def taking(self, *classes: DrugClass) -> Sequence[Medication]:
        """The medicines that belong to any of these classes."""
        if self.classes_taken.isdisjoint(classes):
            return ()
        return [medicine for medicine in self.taken if not medicine.classes.isdisjoint(classes)]

    @once
    def gaps(self) -> Mapping[Input, Missing]:
        """Why an input may lack something, for each that may: it was not read, or not whole."""
        read = (
            (Input.AGE, self.age),
            (Input.KIDNEY_RESULTS, self.kidney),
            (Input.PROBLEMS, self.problems),
            (Input.PROCEDURES, self.procedures),
            (Input.MEDICATIONS, self.medications),
            (Input.ALLERGIES, self.allergies),
            (Input.OBSERVATIONS, self.observations),
        )
        return {what: gap for what, found in read if (gap := _gap(what, found)) is not None}


def _gap(what: Input, found: object) -> Missing | None:
    match found:
        case Missing():
            return found
        case KidneyResults() | ProblemList() | MedicationList() | Observations() if found.incomplete:
            return Missing(what, Why.NOT_AVAILABLE, found.incomplete)
        case _:
            return None
