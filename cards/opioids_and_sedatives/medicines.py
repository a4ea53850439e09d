"""Chart and drafts read together: which medicines depress the nervous system, and how they are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from cards.facts import ChartText, DrugClass, Medication, PatientFacts, Standing

DEPRESSANTS: Mapping[DrugClass, str] = {
    DrugClass.BENZODIAZEPINE: "benzodiazepine",
    DrugClass.Z_DRUG: "Z-drug",
    DrugClass.GABAPENTINOID: "gabapentinoid",
    DrugClass.BARBITURATE: "barbiturate",
    DrugClass.MUSCLE_RELAXANT: "other muscle relaxant",
    DrugClass.ANTIPSYCHOTIC: "antipsychotic",
    DrugClass.SEDATING_ANTIDEPRESSANT: "sedating antidepressant",
    DrugClass.SEDATING_ANTIHISTAMINE: "sedating antihistamine",
    DrugClass.SODIUM_OXYBATE: "sodium oxybate",
    DrugClass.OTHER_SEDATIVE: "other sedative",
}
"""The non-opioid depressants of rules.md IN-CNS. Classes are counted, not orders: two strengths of one drug are one."""

CNS_ACTIVE: Mapping[DrugClass, str] = {
    **DEPRESSANTS,
    DrugClass.OPIOID: "opioid",
    DrugClass.ANTIDEPRESSANT_SSRI_SNRI: "SSRI or SNRI",
    DrugClass.ANTIEPILEPTIC: "antiepileptic",
}
"""What the Beers criteria count, baclofen apart (E-OLD-05)."""


def of(facts: PatientFacts, *classes: DrugClass) -> tuple[Medication, ...]:
    """Those of these classes, in an order that does not depend on how they were sent."""
    return tuple(sorted(facts.taking(*classes), key=_alphabetical))


def classes_among(facts: PatientFacts, names: Mapping[DrugClass, str]) -> tuple[DrugClass, ...]:
    """The classes of ``names`` that at least one medicine has, each once, in the order of ``names``."""
    return tuple([kind for kind in names if kind in facts.classes_taken])


def with_classes(medicines: Iterable[Medication], names: Mapping[DrugClass, str]) -> ChartText:
    """ "clonazepam 0.5 mg tablet (benzodiazepine, since 2026-01-05)", joined."""
    said = []
    for medicine in medicines:
        classes = ", ".join(name for kind, name in names.items() if kind in medicine.classes)
        said.append(f"{medicine.label} ({classes}, {when(medicine)})")
    return joined(said)


def when(medicine: Medication) -> str:
    """Where the medicine stands in time: "drafted now", "ended 2026-11-20", "since 2026-01-05, as needed"."""
    match medicine:
        case Medication(standing=Standing.DRAFT):
            said = "drafted now"
        case Medication(standing=Standing.RECENT, ended=date() as ended):
            said = f"ended {ended}"
        case Medication(started=date() as started):
            said = f"since {started}"
        case _:
            said = "start not recorded"
    on_hold = ", on hold" if medicine.standing is Standing.ON_HOLD else ""
    return said + on_hold + (", as needed" if medicine.as_needed else "")


def joined(parts: Iterable[str]) -> ChartText:
    """One line, each part once. It holds chart text, so it stays chart text: the wording escapes it."""
    return ChartText("; ".join(dict.fromkeys(parts)))


def _alphabetical(medicine: Medication) -> tuple[str, ...]:
    """By label; whatever else a card shows breaks the tie."""
    classes = ",".join(sorted(medicine.classes))
    return (medicine.label.casefold(), medicine.label, when(medicine), classes, str(medicine.opioids))
