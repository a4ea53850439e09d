"""How clients name code systems, and how their codes are written: one URI and one spelling for each."""

from __future__ import annotations

import re
from functools import lru_cache

from cards.terminology import System, bare_code

_URIS: dict[System, tuple[str, ...]] = {
    System.RXNORM: ("www.nlm.nih.gov/research/umls/rxnorm", "2.16.840.1.113883.6.88"),
    System.NDC: ("hl7.org/fhir/sid/ndc", "2.16.840.1.113883.6.69"),
    System.SNOMED: ("snomed.info/sct", "2.16.840.1.113883.6.96"),
    System.DMD: ("dmd.nhs.uk",),
    System.LOINC: ("loinc.org", "2.16.840.1.113883.6.1"),
    System.ICD10CM: ("hl7.org/fhir/sid/icd-10-cm", "2.16.840.1.113883.6.90"),
    System.ICD10: (
        "hl7.org/fhir/sid/icd-10",
        "2.16.840.1.113883.6.3",
        "hl7.org/fhir/sid/icd-10-uk",
        "hl7.org/fhir/sid/icd-10-gm",
        "hl7.org/fhir/sid/icd-10-de",
        "hl7.org/fhir/sid/icd-10-nl",
        "fhir.de/codesystem/bfarm/icd-10-gm",
        "fhir.de/codesystem/dimdi/icd-10-gm",
    ),
    System.ICD10PCS: (
        "www.cms.gov/medicare/coding/icd10",
        "hl7.org/fhir/sid/icd-10-pcs",
        "2.16.840.1.113883.6.4",
    ),
    System.ATC: (
        "www.whocc.no/atc",
        "fhir.de/codesystem/bfarm/atc",
        "fhir.de/codesystem/dimdi/atc",
        "2.16.840.1.113883.6.73",
    ),
}
_ALIASES = {uri: system for system, uris in _URIS.items() for uri in uris}

LABELS = {
    System.RXNORM: "RxNorm",
    System.NDC: "NDC",
    System.SNOMED: "SNOMED CT",
    System.DMD: "dm+d",
    System.LOINC: "LOINC",
    System.ICD10CM: "ICD-10-CM",
    System.ICD10: "ICD-10",
    System.ICD10PCS: "ICD-10-PCS",
    System.ATC: "ATC",
}


@lru_cache(maxsize=1024)
def known_system(uri: str) -> System | None:
    """The system behind a URI, OID or edition URI; scheme, case, trailing slash and ``|version`` do not matter."""
    name = uri.partition("|")[0].strip().lower()
    name = re.sub(r"^(https?://|urn:oid:)", "", name).rstrip("/")
    if name.startswith("snomed.info/sct/"):
        return System.SNOMED
    return _ALIASES.get(name)


def spellings(system: System, code: str) -> tuple[str, ...]:
    """How our files may write this code: usually one way, several for an ambiguous NDC, none for a misshapen code."""
    if system is System.NDC:
        return labeler_products(code)
    code = bare_code(code) if system in (System.ICD10CM, System.ICD10, System.ATC) else code.strip()
    return (code,) if system.shaped(code) else ()


def labeler_products(ndc: str) -> tuple[str, ...]:
    """An NDC as labeler-product, 5-4. Ten digits without hyphens can be read in three ways: all are given."""
    ndc = ndc.strip()
    parts = ndc.split("-")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return ()
    match [len(part) for part in parts]:
        case [5 | 4, 4 | 3] | [5 | 4, 4 | 3, 2 | 1] if len(parts[0]) + len(parts[1]) >= 8:
            return (f"{parts[0]:0>5}-{parts[1]:0>4}",)
        case [11]:
            return (f"{ndc[:5]}-{ndc[5:9]}",)
        case [10]:
            return tuple(dict.fromkeys((f"0{ndc[:4]}-{ndc[4:8]}", f"{ndc[:5]}-0{ndc[5:8]}", f"{ndc[:5]}-{ndc[5:9]}")))
        case _:
            return ()
