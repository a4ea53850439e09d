"""Rules and override reasons as code systems; value sets of medicines, problems and results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from cards.catalogue import Catalogue
from cards.terminology import System
from cards.triage import SUMMARY_CARD
from cards.value_set_files import Row, ValueSetFile
from cds_service.card_builder import topic_code
from cds_service.clinical_content.fhir_common import BASE, COPYRIGHT, Json, resource

FLAG = f"{BASE}/StructureDefinition/concept-flag"
"""Extension: what is special about a code in its value set ("history-or-remission")."""

URIS = {
    System.RXNORM: "http://www.nlm.nih.gov/research/umls/rxnorm",
    System.NDC: "http://hl7.org/fhir/sid/ndc",
    System.SNOMED: "http://snomed.info/sct",
    System.DMD: "https://dmd.nhs.uk",
    System.ATC: "http://www.whocc.no/atc",
    System.ICD10CM: "http://hl7.org/fhir/sid/icd-10-cm",
    System.ICD10: "http://hl7.org/fhir/sid/icd-10",
    System.ICD10PCS: "http://www.cms.gov/Medicare/Coding/ICD10",
    System.LOINC: "http://loinc.org",
}


def code_systems(catalogue: Catalogue) -> Iterator[Json]:
    version = catalogue.content_version
    rules = [(topic_code(text.rule), text.title, _asked(catalogue, text.rule)) for text in catalogue.texts.values()]
    rules.append((topic_code(SUMMARY_CARD), catalogue.words.title(SUMMARY_CARD), "One line for each further finding."))
    yield _code_system("rule", "Rules of Baclofen CDS", version, rules)
    groups = catalogue.library.override_groups
    reasons = {reason.code: reason.display for group in groups.values() for reason in group}
    yield _code_system(
        "override-reason", "Override reasons of Baclofen CDS", version, [(*one, "") for one in reasons.items()]
    )
    for name, group in groups.items():
        concepts = [{"code": reason.code, "display": reason.display} for reason in group]
        yield resource(
            "ValueSet",
            f"override-reasons-{name.lower()}",
            f"Override reasons that cards of group {name} offer",
            version,
            copyright=COPYRIGHT,
            compose={"include": [{"system": f"{BASE}/CodeSystem/override-reason", "concept": concepts}]},
        )


def _code_system(identity: str, title: str, version: str, concepts: Sequence[tuple[str, str, str]]) -> Json:
    return resource(
        "CodeSystem",
        identity,
        title,
        version,
        copyright=COPYRIGHT,
        caseSensitive=True,
        content="complete",
        count=len(concepts),
        concept=[
            {"code": code, "display": display} | ({"definition": definition} if definition else {})
            for code, display, definition in concepts
        ],
    )


def _asked(catalogue: Catalogue, rule: str) -> str:
    return " ".join(catalogue.texts[rule].logic.when)


# ------------------------------------------------------------------------------------------------------ value sets


def value_sets(files: Sequence[ValueSetFile], version: str) -> Iterator[Json]:
    for name, held in groupby(files, key=lambda file: file.value_set):
        yield _value_set(name, list(held), version)


def _value_set(name: str, held: Sequence[ValueSetFile], version: str) -> Json:
    about = "; ".join(f"{file.system.value}: {file.source}, {file.version}" for file in held)
    excluded = [_filtered(file.system, row) for file in held for row in file.rows if row.match == "exclude"]
    return resource(
        "ValueSet",
        name,
        held[0].title,
        version,
        description=f"Sources and versions. {about}. Not clinically reviewed.",
        copyright=f"Licences: {'; '.join(sorted({file.licence for file in held}))}. {COPYRIGHT}",
        compose={"include": [one for file in held for one in _included(file)]}
        | ({"exclude": excluded} if excluded else {}),
    )


def _included(file: ValueSetFile) -> Iterator[Json]:
    exact = [_concept(row) for row in file.rows if row.match == "exact"]
    if exact:
        yield {"system": URIS[file.system], "concept": exact}
    for row in file.rows:
        if row.match == "prefix":
            yield _filtered(file.system, row)


def _concept(row: Row) -> Json:
    written: Json = {"code": row.code}
    if row.display:
        written["display"] = row.display
    if row.flags:
        written["extension"] = [{"url": FLAG, "valueCode": flag} for flag in row.flags]
    return written


def _filtered(system: System, row: Row) -> Json:
    """Every code that begins so."""
    return {
        "system": URIS[system],
        "filter": [{"property": "code", "op": "regex", "value": f"{re.escape(row.code)}.*"}],
    }
