"""Recognising drugs, problems and observations in CodeableConcepts as EHRs send them."""

import time
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cards.facts import Route
from cards.terminology import System
from cds_service.gather.code_systems import known_system, labeler_products, spellings
from cds_service.gather.codes import BACLOFEN, UNRECOGNISED, BaclofenProduct, Codes, OpioidIngredient
from cds_service.gather.drug_text import read_route, read_strength
from cds_service.gather.products import Strength
from cds_service.resources import CodeableConcept

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
SNOMED = "http://snomed.info/sct"
DMD = "https://dmd.nhs.uk"
ATC = "http://www.whocc.no/atc"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
LOINC = "http://loinc.org"
LOCAL = "urn:oid:1.2.840.114350.1.13.0.1.7.2.698288"


@pytest.fixture(scope="module")
def codes() -> Codes:
    return Codes.load()


def concept(*codings: tuple[str | None, Any] | tuple[str | None, Any, str], text: str | None = None) -> CodeableConcept:
    """As it comes off the wire."""
    sent = [dict(zip(("system", "code", "display"), coding, strict=False)) for coding in codings]
    return msgspec.convert({"coding": sent, "text": text}, CodeableConcept)


def named(text: str) -> CodeableConcept:
    return concept(text=text)


# ---------------------------------------------------------------------------------------------------- code systems


@pytest.mark.parametrize(
    ("uri", "system"),
    [
        (RXNORM, System.RXNORM),
        ("urn:oid:2.16.840.1.113883.6.88", System.RXNORM),
        ("2.16.840.1.113883.6.88", System.RXNORM),
        ("http://www.nlm.nih.gov/research/umls/rxnorm|2026-03", System.RXNORM),
        (" https://www.nlm.nih.gov/research/umls/rxnorm/ ", System.RXNORM),
        (NDC, System.NDC),
        ("urn:oid:2.16.840.1.113883.6.69", System.NDC),
        (SNOMED, System.SNOMED),
        ("https://snomed.info/sct", System.SNOMED),
        ("http://snomed.info/sct/731000124108", System.SNOMED),
        ("http://snomed.info/sct/83821000000107/version/20260101", System.SNOMED),
        ("http://snomed.info/sct|http://snomed.info/sct/731000124108", System.SNOMED),
        ("urn:oid:2.16.840.1.113883.6.96", System.SNOMED),
        (DMD, System.DMD),
        ("http://dmd.nhs.uk/", System.DMD),
        (LOINC, System.LOINC),
        ("https://loinc.org/", System.LOINC),
        ("urn:oid:2.16.840.1.113883.6.1", System.LOINC),
        (ICD10CM, System.ICD10CM),
        ("urn:oid:2.16.840.1.113883.6.90", System.ICD10CM),
        (ICD10, System.ICD10),
        ("http://hl7.org/fhir/sid/icd-10-uk", System.ICD10),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", System.ICD10),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", System.ICD10),
        ("urn:oid:2.16.840.1.113883.6.3", System.ICD10),
        ("http://www.cms.gov/Medicare/Coding/ICD10", System.ICD10PCS),
        ("http://hl7.org/fhir/sid/icd-10-pcs", System.ICD10PCS),
        ("urn:oid:2.16.840.1.113883.6.4", System.ICD10PCS),
        (ATC, System.ATC),
        ("http://fhir.de/CodeSystem/bfarm/atc", System.ATC),
        ("urn:oid:2.16.840.1.113883.6.73", System.ATC),
        ("http://hl7.org/fhir/sid/icd-9-cm", None),
        ("http://www.ama-assn.org/go/cpt", None),
        ("http://snomed.info/sct-other", None),
        (LOCAL, None),
        ("", None),
    ],
)
def test_code_systems(uri: str, system: System | None) -> None:
    assert known_system(uri) is system


@pytest.mark.parametrize(
    ("ndc", "forms"),
    [
        ("00172409610", ("00172-4096",)),
        ("00172-4096-10", ("00172-4096",)),
        ("0172-4096-10", ("00172-4096",)),  # 4-4-2
        ("50090-123-01", ("50090-0123",)),  # 5-3-2
        ("70710-1285-1", ("70710-1285",)),  # 5-4-1
        ("0172-4096", ("00172-4096",)),
        ("00172-4096", ("00172-4096",)),
        ("0172409610", ("00172-4096", "01724-0096", "01724-0961")),
        ("0172409", ()),
        ("172-40-1", ()),
        ("0172-40A6-10", ()),
        ("", ()),
    ],
)
def test_ndc_forms(ndc: str, forms: tuple[str, ...]) -> None:
    assert labeler_products(ndc) == forms


@pytest.mark.parametrize(
    ("system", "code", "forms"),
    [
        (System.ICD10CM, "n18.30", ("N1830",)),
        (System.ICD10, "G35.-", ("G35",)),
        (System.ICD10, "F00.1*", ("F001",)),
        (System.RXNORM, " 197391 ", ("197391",)),
        (System.RXNORM, "baclofen", ()),
        (System.RXNORM, "", ()),
        (System.SNOMED, "387342009", ("387342009",)),
        (System.SNOMED, "0387342009", ()),
        (System.LOINC, "2160-0", ("2160-0",)),
        (System.LOINC, "CREA", ()),
        (System.ATC, "m03bx01", ("M03BX01",)),
    ],
)
def test_spellings(system: System, code: str, forms: tuple[str, ...]) -> None:
    assert spellings(system, code) == forms


# -------------------------------------------------------------------------------------------------------- baclofen


@pytest.mark.parametrize(
    "sent",
    [
        concept((RXNORM, "197391")),
        concept((RXNORM, 197391)),
        concept((RXNORM, 197391.0)),
        concept(("urn:oid:2.16.840.1.113883.6.88", "197391")),
        concept((RXNORM, "1292")),
        concept((NDC, "00172409610")),
        concept((NDC, "0172-4096-10")),
        concept((SNOMED, "387342009")),
        concept(("http://snomed.info/sct/731000124108", "387342009")),
        concept((SNOMED, "6102009")),
        concept((DMD, "6102009")),
        concept((ATC, "M03BX01")),
        concept((LOCAL, "4711"), (RXNORM, "1292")),
        concept((LOCAL, "4711", "BACLOFEN 10 MG PO TABS")),
        *(
            named(text)
            for text in (
                "Baclofen 10mg",
                "BACLOFEN",
                "baclofène 10 mg",
                "Baclofeno",
                "Baklofen",
                "Lioresal",
                "Ozobax DS",
                "Fleqsuvy 25 mg/5 mL",
                "Lyvispah",
                "Gablofen",
                "Kemstro",
                "Lyflex",
                "ＢＡＣＬＯＦＥＮ",
                "baclofen, no refills",
                "baclofen 10 mg, avoid alcohol",
            )
        ),
    ],
)
def test_baclofen_is_recognised(codes: Codes, sent: CodeableConcept) -> None:
    found = codes.drug(sent)
    assert not BACLOFEN.isdisjoint(found.value_sets)
    assert codes.baclofen_product(sent) is not None


@pytest.mark.parametrize(
    "sent",
    [
        concept((RXNORM, "1291")),  # bacitracin, baclofen's neighbour
        concept((RXNORM, "1291", "bacitracin")),
        concept((RXNORM, "161", "acetaminophen")),
        concept((LOCAL, "1292")),
        concept((LOINC, "1292")),
        concept((None, "1292")),
        *(
            named(text)
            for text in (
                "Bactrim DS",
                "bacitracin",
                "brivaracetam",
                "baclofene1",
                "baclo",
                "arbaclofen placarbil",
                "no baclofen",
                "allergic to baclofen",
                "baclofen intolerance",
                "",
            )
        ),
        concept(),
        CodeableConcept(),
        None,
    ],
)
def test_what_is_not_baclofen(codes: Codes, sent: CodeableConcept | None) -> None:
    assert BACLOFEN.isdisjoint(codes.drug(sent).value_sets)
    assert codes.baclofen_product(sent) is None


def test_arbaclofen_is_another_drug_and_flagged(codes: Codes) -> None:
    assert codes.drug(named("Arbaclofen ER 20 mg")).value_sets.keys() == {"arbaclofen"}


def test_nulls_and_single_objects_in_place_of_lists(codes: Codes) -> None:
    for coding in ([None, {"system": RXNORM, "code": "197391"}], {"system": RXNORM, "code": "197391"}):
        sent = msgspec.convert({"coding": coding}, CodeableConcept)
        assert codes.drug(sent).coding == "RxNorm 197391"


def test_the_coding_that_matched_is_named(codes: Codes) -> None:
    found = codes.drug(concept((LOCAL, "9"), (RXNORM, "999999999"), (SNOMED, "387342009"), (RXNORM, "197391")))
    assert found.coding == "SNOMED CT 387342009"
    assert (found.by_text, found.covered) == (False, True)
    assert found.value_sets.keys() == {"baclofen-ingredient", "baclofen-oral-products"}


@pytest.mark.parametrize(
    ("sent", "route", "per_unit", "per_ml"),
    [
        (concept((RXNORM, "430902")), Route.ORAL, "5", None),
        (concept((RXNORM, "197391")), Route.ORAL, "10", None),
        (concept((RXNORM, "197392")), Route.ORAL, "20", None),
        (concept((RXNORM, "2593376")), Route.ORAL, None, "5"),
        (concept((RXNORM, "2667941")), Route.ORAL, None, "2"),
        (concept((RXNORM, "250976")), Route.ORAL, None, "1"),
        (concept((RXNORM, "1666613")), Route.INTRATHECAL, None, "2"),
        (concept((RXNORM, "308516")), Route.INTRATHECAL, None, "0.05"),
        (concept((NDC, "52817-0620-16")), Route.ORAL, None, "2"),  # 10 mg/5 mL
        (concept((NDC, "87519-0003-01")), Route.ORAL, "10", None),  # packet
        (concept((NDC, "70121-2504-01")), Route.INTRATHECAL, None, None),  # kit
        (concept((NDC, "68055-0004-01")), Route.INTRATHECAL, None, "2"),  # 40 mg/20 mL
        (concept((RXNORM, "1292")), None, None, None),
    ],
)
def test_strength_by_code(
    codes: Codes, sent: CodeableConcept, route: Route | None, per_unit: str | None, per_ml: str | None
) -> None:
    product = codes.baclofen_product(sent)
    assert product is not None
    assert (product.route, product.mg_per_unit, product.mg_per_ml) == (
        route,
        per_unit and Decimal(per_unit),
        per_ml and Decimal(per_ml),
    )
    assert not product.by_text
    assert not product.doubt


def test_several_rxnorm_codes_of_one_drug(codes: Codes) -> None:
    """Ingredient, component and product side by side, without displays, and other vendors' codes."""
    sent = concept(
        (RXNORM, "1292"), ("urn:oid:2.16.840.1.113883.6.162", "x"), (RXNORM, "197391"), (NDC, "0172-4096-10")
    )
    sent = msgspec.structs.replace(sent, text="baclofen (LIORESAL) 10 MG tablet")
    assert codes.baclofen_product(sent) == BaclofenProduct(
        Route.ORAL, Decimal(10), None, "baclofen 10 MG Oral Tablet", by_text=False, doubt=""
    )


@pytest.mark.parametrize(
    "sent",
    [
        concept((RXNORM, "197391"), (RXNORM, "197392")),
        concept((RXNORM, "197391"), text="BACLOFEN 20 MG PO TABS"),
        concept((RXNORM, "197391"), (NDC, "00172-4097-10")),
        concept((RXNORM, "250976"), (RXNORM, "2593376")),  # 1 and 5 mg/mL: a five-fold error
        concept((RXNORM, "1292", "baclofen 5 MG Oral Tablet"), text="BACLOFEN 10 MG PO TABS"),
    ],
)
def test_strengths_that_disagree_give_none_and_say_so(codes: Codes, sent: CodeableConcept) -> None:
    product = codes.baclofen_product(sent)
    assert product is not None
    assert (product.route, product.mg_per_unit, product.mg_per_ml) == (Route.ORAL, None, None)
    assert product.doubt


def test_routes_that_disagree_give_none_and_say_so(codes: Codes) -> None:
    product = codes.baclofen_product(concept((RXNORM, "197391"), (RXNORM, "1666613")))
    assert product is not None
    assert (product.route, product.mg_per_unit, product.mg_per_ml) == (None, None, None)
    assert product.doubt


def test_strength_from_the_name_is_marked(codes: Codes) -> None:
    product = codes.baclofen_product(concept((RXNORM, "1292"), text="BACLOFEN 10 MG PO TABS"))
    assert product == BaclofenProduct(Route.ORAL, Decimal(10), None, "BACLOFEN 10 MG PO TABS", by_text=True)


def test_a_new_product_whose_code_is_in_no_list_is_recognised_by_name(codes: Codes) -> None:
    sent = concept((RXNORM, "99999999", "baclofen 5 MG/ML Oral Suspension [Fleqsuvy]"))
    assert codes.drug(sent).by_text
    product = codes.baclofen_product(sent)
    assert product is not None
    assert (product.route, product.mg_per_ml, product.by_text) == (Route.ORAL, Decimal(5), True)


@pytest.mark.parametrize(
    ("text", "per_unit", "per_ml"),
    [
        ("BACLOFEN 10 MG PO TABS", "10", None),
        ("baclofen 10 MG Oral Tablet", "10", None),
        ("Baclofen 10mg tablets", "10", None),
        ("BACLOFEN 5 MG TABLET", "5", None),
        ("baclofen (LIORESAL) 20 mg tablet", "20", None),
        ("baclofen 10 MG Oral Tablet [Lioresal]", "10", None),
        ("baclofen 2.5 mg capsule", "2.5", None),
        ("baclofen 5 MG/ML Oral Suspension [Fleqsuvy]", None, "5"),
        ("baclofen 25 mg/5 mL oral suspension", None, "5"),
        ("Baclofen 5mg/5ml oral solution sugar free", None, "1"),
        ("Ozobax DS 10 mg/5 mL oral solution", None, "2"),
        ("baclofen 2,000 mcg/mL intrathecal solution", None, "2"),
        ("Gablofen 50 mcg/ml intrathecal injection", None, "0.05"),
    ],
)
def test_strength_in_a_name(text: str, per_unit: str | None, per_ml: str | None) -> None:
    assert read_strength(text) == Strength(per_unit and Decimal(per_unit), per_ml and Decimal(per_ml))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "baclofen",
        "baclofen 10",
        "baclofen 10 mg",  # a dose or a strength?
        "baclofen tablet",
        "baclofen 10 mg tablet three times daily",
        "baclofen 10 mg tablet 90 tablets",
        "baclofen 10-20 mg tablet",
        "baclofen 10 mg or 20 mg tablets",
        "baclofen 10 mcg tablet",
        "baclofen 1,0 mg tablet",
        "baclofen 10 mg/5 mL tablet",
        "baclofen 10 mg/0 mL oral solution",
        "baclofen 0 mg tablet",
        "baclofen 10 mg oral solution",  # without a volume
        "baclofen 10 mg cream",
        "baclofen 10 g tablet",
        "half of a baclofen 10 mg tablet",
        "tizanidine 4 mg tablet",
        "baclofen 10 mg tablet and baclofen 20 mg tablet",
        "",
    ],
)
def test_names_without_a_certain_strength(text: str) -> None:
    assert read_strength(text) is None


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("Lioresal intrathecal", Route.INTRATHECAL),
        ("Baclofen 2 % cream", Route.TOPICAL),
        ("baclofen 10 mg tablet", Route.ORAL),
        ("baclofen", None),
        ("Lioresal 2000 mcg/mL", None),
        ("baclofen oral gel", None),
    ],
)
def test_route_in_a_name(codes: Codes, text: str, route: Route | None) -> None:
    assert read_route(text) is route
    product = codes.baclofen_product(named(text))
    assert product is not None
    assert product.route is route


# ---------------------------------------------------------------------------------------------------- other drugs


@pytest.mark.parametrize(
    ("sent", "value_sets"),
    [
        (concept((RXNORM, "1049221")), {"opioid-medications"}),  # acetaminophen / oxycodone
        (concept((RXNORM, "858770")), {"opioid-medications", "nsaids"}),  # hydrocodone / ibuprofen
        (concept((RXNORM, "1433802")), {"opioid-medications", "barbiturates"}),  # butalbital / codeine
        (concept((RXNORM, "6470")), {"benzodiazepines"}),
        (concept((RXNORM, "1725059")), {"naloxone-rescue-products", "opioid-antagonist"}),
        (concept((RXNORM, "36437")), {"ssri-snri"}),
        (concept((RXNORM, "721787")), {"antipsychotics", "ssri-snri"}),  # fluoxetine / olanzapine
        (concept((RXNORM, "828348")), {"other-skeletal-muscle-relaxants"}),
        (concept((RXNORM, "849574")), {"nsaids"}),
        (concept((RXNORM, "795774")), {"antiepileptics"}),  # lamotrigine pack that names phenobarbital
        (concept((ATC, "N06CA01")), {"benzodiazepines", "tricyclics-and-sedating-antidepressants"}),
        (concept((ATC, "J01GB03")), {"nephrotoxic-drugs"}),
        (concept((DMD, "271511000001104")), {"opioid-medications"}),  # codeine 60 mg tablets
        (concept((SNOMED, "271511000001104")), {"opioid-medications"}),
        (concept((RXNORM, "4337"), (RXNORM, "6470")), {"opioid-medications", "benzodiazepines"}),
        (named("Suboxone 8-2 MG SL film"), {"opioid-medications"}),
        (named("buprenorphine-naloxone 8-2 mg"), {"opioid-medications"}),
        (named("Narcan 4 mg nasal spray"), {"naloxone-rescue-products", "opioid-antagonist"}),
        (named("hydrocodone-ibuprofen 7.5-200 mg tablet"), {"opioid-medications", "nsaids"}),
        (named("Tylenol no. 3 with codeine"), {"opioid-medications"}),
        (named("Tylenol PM"), {"sedating-antihistamines"}),
        (named("sertraline 50 mg"), {"ssri-snri"}),
        (named("gentamicin 80 mg IV"), {"nephrotoxic-drugs"}),
    ],
)
def test_drugs_and_every_set_of_a_combination(codes: Codes, sent: CodeableConcept, value_sets: set[str]) -> None:
    assert codes.drug(sent).value_sets.keys() == value_sets


@pytest.mark.parametrize(
    ("system", "code", "flag"),
    [
        (RXNORM, "1819", "buprenorphine"),
        (RXNORM, "6813", "methadone"),
        (RXNORM, "10689", "tramadol"),
        (RXNORM, "1731522", "parenteral"),
        (RXNORM, "1089027", "antitussive-cold"),
        (RXNORM, "1049221", "combination"),
        (ATC, "N07BC02", "methadone"),
        (ATC, "N07BC01", "buprenorphine"),
        (ATC, "N07BC51", "buprenorphine"),
        (ATC, "N02AE01", "buprenorphine"),
        (ATC, "N02AX02", "tramadol"),
    ],
)
def test_opioid_flags(codes: Codes, system: str, code: str, flag: str) -> None:
    assert flag in codes.drug(concept((system, code))).value_sets["opioid-medications"]


@pytest.mark.parametrize(
    "text",
    [
        "no oxycodone",
        "allergic to morphine",
        "Morphine allergy",
        "Codeine intolerance",
        "denies use of fentanyl",
        "history of oxycodone use",
        "family uses diazepam",
        "avoid tramadol",
        "patient declined gabapentin",
        "without codeine",
    ],
)
def test_refused_names_are_not_recognised_and_no_other_drug(codes: Codes, text: str) -> None:
    assert codes.drug(named(text)) == UNRECOGNISED
    assert codes.drug(concept((RXNORM, "99999999"), text=text)) == UNRECOGNISED


@pytest.mark.parametrize("text", ["no opioid", "No opioids", "none"])
def test_a_text_without_a_drug_name_is_not_recognised(codes: Codes, text: str) -> None:
    assert codes.drug(named(text)) == UNRECOGNISED


@pytest.mark.parametrize("text", ["diclofenac 1 % gel", "ketorolac ophthalmic solution", "Tobramycin eye drops"])
def test_creams_and_eye_drops_do_not_count(codes: Codes, text: str) -> None:
    assert codes.drug(named(text)).value_sets == {}


@pytest.mark.parametrize("text", ["morphinan", "methylnaltrexone", "loperamide", "oxybutynin", "Codeinex", "ambiens"])
def test_only_whole_words_count(codes: Codes, text: str) -> None:
    assert codes.drug(named(text)) == UNRECOGNISED


def test_a_code_beats_the_text(codes: Codes) -> None:
    found = codes.drug(concept((RXNORM, "36437"), text="oxycodone"))
    assert found.value_sets.keys() == {"ssri-snri"}
    assert not found.by_text


def test_text_names_what_no_code_does(codes: Codes) -> None:
    """A retired RxNorm code and a code of the hospital."""
    for system in (RXNORM, LOCAL):
        found = codes.drug(concept((system, "99999999", "Oxycodone 5 MG Oral Capsule [OxyIR]")))
        assert found.value_sets.keys() == {"opioid-medications"}
        assert (found.by_text, found.coding) == (True, "")


@pytest.mark.parametrize(
    ("sent", "covered"),
    [
        (concept((RXNORM, "161")), True),  # acetaminophen: another drug, quietly
        (concept((RXNORM, "161", "acetaminophen"), (LOCAL, "7")), True),
        (concept((SNOMED, "387517004")), True),
        (concept((ATC, "N02BE01")), True),
        (concept((NDC, "12345-6789-01")), False),  # our NDC lists hold a few classes of one year
        (concept((NDC, "00172-4096-10")), True),
        (concept((LOCAL, "7", "something")), False),
        (concept((RXNORM, "UNKNOWN")), False),
        (named("acetaminophen"), False),
        (named("oxycodone"), False),
        (concept(), False),
        (None, False),
    ],
)
def test_covered(codes: Codes, sent: CodeableConcept | None, covered: bool) -> None:
    assert codes.drug(sent).covered is covered


def test_an_ambiguous_ndc_needs_readings_that_agree(codes: Codes) -> None:
    assert codes.drug(concept((NDC, "0172409610"))).value_sets.keys() == {"baclofen-oral-products"}
    product = codes.baclofen_product(concept((NDC, "0172409610")))
    assert product is not None
    assert product.mg_per_unit == Decimal(10)


# ----------------------------------------------------------------------------------------------- opioid ingredients


@pytest.mark.parametrize(
    ("sent", "ingredients"),
    [
        (concept((RXNORM, "1049563")), [("oxycodone", "20", None)]),
        (concept((RXNORM, "857005")), [("hydrocodone", "7.5", None)]),
        (concept((RXNORM, "864765")), [("methadone", None, "1.5")]),
        (concept((RXNORM, "892660")), [("morphine", "30", None)]),
        (concept((RXNORM, "7804")), [("oxycodone", None, None)]),
        (concept((RXNORM, "7804"), (RXNORM, "1049563")), [("oxycodone", "20", None)]),
        (concept((RXNORM, "1049563"), (RXNORM, "1049584")), [("oxycodone", None, None)]),  # 20 and 40 mg
        (concept((RXNORM, "1731522")), [("morphine", None, None)]),  # injection
        (concept((RXNORM, "1666831")), [("fentanyl", None, None)]),  # transdermal
        (concept((RXNORM, "668363")), [("fentanyl", None, None)]),  # buccal
        (concept((RXNORM, "1666338")), [("buprenorphine", "2.9", None)]),
        (concept((DMD, "271511000001104")), [("codeine", None, None)]),
        (concept((ATC, "N02AA05")), []),
        (concept((ATC, "N02AA05"), text="Oxycodon 10 mg"), [("oxycodone", None, None)]),
        (named("Percocet 5-325"), [("oxycodone", None, None)]),
        (named("pethidine"), [("meperidine", None, None)]),
        (concept((RXNORM, "6470")), []),
        (named("no morphine"), []),
        (None, []),
    ],
)
def test_opioid_ingredients(
    codes: Codes, sent: CodeableConcept | None, ingredients: list[tuple[str, str | None, str | None]]
) -> None:
    assert codes.opioid_ingredients(sent) == tuple(
        OpioidIngredient(name, per_unit and Decimal(per_unit), per_ml and Decimal(per_ml))  # type: ignore[arg-type]
        for name, per_unit, per_ml in ingredients
    )


# ---------------------------------------------------------------------------------------- problems and observations


def test_problems_by_code_in_any_spelling(codes: Codes) -> None:
    for sent in (
        concept((ICD10CM, "N18.31")),
        concept((ICD10CM, "n1831")),
        concept(("urn:oid:2.16.840.1.113883.6.90", "N18.31")),
        concept((LOCAL, "x"), (SNOMED, "700378005")),
    ):
        assert {"chronic-kidney-disease", "chronic-kidney-disease-stage-3"} <= codes.problem(sent).value_sets.keys()


def test_problems_are_never_recognised_from_text(codes: Codes) -> None:
    assert codes.problem(named("Epilepsy")) == UNRECOGNISED
    assert not codes.problem(concept((SNOMED, "38341003", "Hypertension"), text="Epilepsy")).value_sets


def test_observations(codes: Codes) -> None:
    assert codes.observation(concept((LOINC, "98979-8"))).value_sets == {"egfr-observations": {"ckd-epi-2021"}}
    assert codes.observation(concept((LOINC, "2160-0"))).value_sets.keys() == {"serum-creatinine-observations"}
    assert "audit-c-score" in codes.observation(concept((LOINC, "75626-2"))).value_sets["alcohol-use-observation"]
    assert codes.observation(concept((LOINC, "82810-3"))).value_sets.keys() == {"pregnancy"}
    assert codes.observation(concept((LOINC, "718-7"), text="eGFR")).value_sets == {}
    assert codes.observation(None) == UNRECOGNISED


# ------------------------------------------------------------------------------------------- settings, and the clock


def test_snomed_and_dmd_are_left_out_by_a_setting() -> None:
    without = Codes.load(snomed=False, dmd=False)
    assert without.drug(concept((SNOMED, "387342009"))) == UNRECOGNISED
    assert without.problem(concept((SNOMED, "46177005"))) == UNRECOGNISED
    assert without.drug(concept((DMD, "271511000001104"))) == UNRECOGNISED
    assert without.drug(concept((SNOMED, "387342009", "Baclofen"))).by_text
    assert without.drug(concept((RXNORM, "197391"))).covered

    only_dmd = Codes.load(snomed=False)
    assert only_dmd.drug(concept((SNOMED, "271511000001104"))).coding == "SNOMED CT 271511000001104"
    assert only_dmd.problem(concept((SNOMED, "46177005"))) == UNRECOGNISED


def test_loading_and_looking_up_are_quick() -> None:
    start = time.perf_counter()
    loaded = Codes.load()
    assert time.perf_counter() - start < 1

    sent = concept((LOCAL, "1"), (RXNORM, "7804"), (RXNORM, "1049563"), text="oxyCODONE ER 20 MG tablet")
    start = time.perf_counter()
    for _ in range(10_000):
        loaded.drug(sent)
    assert time.perf_counter() - start < 2  # 0.2 ms each at the very most


def test_the_kept_answers_have_an_end_and_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.gather.codes._KEPT", 3)
    loaded = Codes.load()
    for round_ in range(20):
        assert loaded.drug(concept((RXNORM, str(900_000_000 + round_)), (RXNORM, "197391"))).coding == "RxNorm 197391"
        assert len(loaded._answers) <= 3


def test_a_long_text_costs_little(codes: Codes) -> None:
    start = time.perf_counter()
    assert codes.drug(named("baclofen " + "no " * 100_000)).by_text
    assert codes.drug(named("( " * 100_000)) == UNRECOGNISED
    assert read_strength("baclofen 1" + ",000" * 100_000) is None
    assert time.perf_counter() - start < 0.5
