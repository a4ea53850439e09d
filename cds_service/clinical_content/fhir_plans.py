"""One PlanDefinition for each question in event-condition-action form, ActivityDefinitions for what cards suggest."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cards.catalogue import Catalogue
from cards.content import CardText, Question, Source
from cards.logic import Offer
from cards.outcome import OrderTest, Test
from cards.terminology import System
from cds_service.card_builder import RULE_SYSTEM, topic_code
from cds_service.clinical_content.document import clinical_document
from cds_service.clinical_content.fhir_common import BASE, COPYRIGHT, Json, concept, resource
from cds_service.clinical_content.fhir_terminology import URIS
from cds_service.clinical_content.markdown import bullets
from cds_service.clinical_content.numbers import value
from cds_service.clinical_content.question import logic_part, title
from cds_service.services import HOOKS
from cds_service.suggestions import created

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
BACLOFEN = concept(URIS[System.RXNORM], "1292", "baclofen")

OFFERED: Mapping[Offer, tuple[str, str, str, Json]] = {
    Offer.CHANGE_DOSE: (
        "update", "Change the dose of the order", "Order the dose that the card names instead.",
        {"kind": "MedicationRequest", "productCodeableConcept": BACLOFEN},
    ),
    Offer.TAPER: (
        "update", "Taper instead", "Go down step by step, as the card names it, instead of stopping or going on.",
        {"kind": "MedicationRequest", "productCodeableConcept": BACLOFEN},
    ),
    Offer.WITHDRAW_ORDER: (
        "remove", "Remove the order", "Remove the order that is being signed.",
        {"kind": "MedicationRequest", "productCodeableConcept": BACLOFEN},
    ),
    Offer.STOP_EXISTING: (
        "update", "Replace the existing order", "Stop the order on the chart and mark the new one as its replacement.",
        {"kind": "MedicationRequest", "productCodeableConcept": BACLOFEN},
    ),
    Offer.ORDER_CREATININE: (
        "create", "Order creatinine and eGFR", "To guide the baclofen dose.",
        {"kind": "ServiceRequest", "code": created.laboratory_test(OrderTest(Test.CREATININE))["code"]},
    ),
    Offer.ORDER_CYSTATIN_C: (
        "create", "Order cystatin C", "To guide the baclofen dose where creatinine misleads.",
        {"kind": "ServiceRequest", "code": created.laboratory_test(OrderTest(Test.CYSTATIN_C))["code"]},
    ),
    Offer.CO_PRESCRIBE_NALOXONE: (
        "create", "Add naloxone 4 mg nasal spray", "Two devices, for suspected opioid overdose.",
        {
            "kind": "MedicationRequest",
            "productCodeableConcept": created.naloxone()["medicationCodeableConcept"],
            "quantity": created.naloxone()["dispenseRequest"]["quantity"],
            "dosage": created.naloxone()["dosageInstruction"],
        },
    ),
    Offer.LIMIT_SUPPLY: (
        "update", "Limit the supply", "Give a small supply at a time.",
        {"kind": "MedicationRequest", "productCodeableConcept": BACLOFEN},
    ),
}  # fmt: skip
"""Suggestion → action type, title, description, what is ordered."""


def activities(catalogue: Catalogue) -> Iterator[Json]:
    for offer, (_, name, description, ordered) in OFFERED.items():
        yield resource(
            "ActivityDefinition",
            str(offer),
            name,
            catalogue.content_version,
            description=description,
            copyright=COPYRIGHT,
            intent="proposal",
            **ordered,
        )


def plans(catalogue: Catalogue) -> Iterator[Json]:
    for question in catalogue.questions:
        yield _plan(catalogue, question)


def library(catalogue: Catalogue, parts: Sequence[str]) -> Json:
    """The whole as one asset, with the document for people inside."""
    document = clinical_document(catalogue, versioned=True).encode()
    return resource(
        "Library",
        "baclofen-cds",
        "Clinical content of Baclofen CDS",
        catalogue.content_version,
        type=concept(f"{TERMINOLOGY}/library-type", "asset-collection", "Asset Collection"),
        description="Rules, numbers, words and value sets of a service that checks baclofen orders at signing.",
        copyright=COPYRIGHT,
        relatedArtifact=[{"type": "composed-of", "resource": part} for part in parts],
        content=[
            {"contentType": "text/markdown", "title": "The clinical document", "data": b64encode(document).decode()}
        ],
    )


# ------------------------------------------------------------------------------------------------------- one question


def _plan(catalogue: Catalogue, question: Question) -> Json:
    evidence = catalogue.library.evidence
    reviewed = question.reviewed_on if question.reviewed_by else ""
    return resource(
        "PlanDefinition",
        question.name.replace("_", "-"),
        f"Baclofen: {title(question).lower()}",
        catalogue.content_version,
        type=concept(f"{TERMINOLOGY}/plan-definition-type", "eca-rule", "ECA Rule"),
        description=_description(question),
        purpose=question.question,
        usage=f"Not covered:\n\n{bullets(question.not_covered)}" if question.not_covered else "",
        copyright=COPYRIGHT,
        approvalDate=reviewed,
        lastReviewDate=reviewed,
        reviewer=[{"name": question.reviewed_by}] if question.reviewed_by else [],
        relatedArtifact=_citations((key for one in question.parameters for key in one.sources), evidence),
        library=[f"{BASE}/Library/baclofen-cds|{catalogue.content_version}"],
        action=[_rule(catalogue, question.cards[rule.id]) for rule in question.rules],
    )


def _description(question: Question) -> str:
    numbers = bullets(f"{one.name} {value(one)} ({', '.join(one.sources)}): {one.why}" for one in question.parameters)
    parts = [question.clinical_consequence, question.mechanism, f"Numbers:\n\n{numbers}" if numbers else ""]
    return "\n\n".join(filter(None, parts))


def _rule(catalogue: Catalogue, text: CardText) -> Json:
    asked = " ".join(text.logic.when)
    action: Json = {
        "title": text.title,
        "textEquivalent": logic_part(text.logic),
        "code": [concept(RULE_SYSTEM, topic_code(text.rule), text.title)],
        "documentation": _citations(text.sources, catalogue.library.evidence),
        "trigger": [{"type": "named-event", "name": hook.value} for hook in HOOKS],
        "condition": [{"kind": "applicability", "expression": {"language": "text/plain", "expression": asked}}],
        "action": [_offered(catalogue, offer, said) for offer, said in text.logic.suggests],
    }
    return {name: held for name, held in action.items() if held != []}


def _offered(catalogue: Catalogue, offer: Offer, said: str) -> Json:
    kind, name, _, _ = OFFERED[offer]
    return {
        "title": name,
        "description": said,
        "type": concept(f"{TERMINOLOGY}/action-type", kind, kind.capitalize()),
        "definitionCanonical": f"{BASE}/ActivityDefinition/{offer}|{catalogue.content_version}",
    }


def _citations(keys: Iterable[str], evidence: Mapping[str, Source]) -> list[Json]:
    """Each source once. One that nobody has read is said to be so."""
    found = []
    for key in dict.fromkeys(keys):
        if key in evidence:
            source = evidence[key]
            display = source.says if source.status != "to-verify" else f"Not read by this project: {source.says}"
            cited: Json = {"type": "citation", "label": key, "display": display, "citation": source.citation}
            found.append(cited | ({"url": source.link} if source.link else {}))
    return found
