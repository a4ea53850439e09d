"""``baclofen-cds content --fhir``: valid R4 resources that say what the content says, the same bytes each time."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cards.catalogue import Catalogue
from cards.logic import Offer
from cards.terminology import System, bare_code
from cards.value_set_files import value_set_files
from cds_service.__main__ import main
from cds_service.card_builder import frames
from cds_service.clinical_content.document import clinical_document
from cds_service.clinical_content.fhir import resources, write
from cds_service.clinical_content.fhir_terminology import FLAG, URIS
from cds_service.gather.code_systems import known_system

Json = dict[str, Any]


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


@cache
def exported() -> list[Json]:
    return list(resources(catalogue()))


def of(kind: str) -> dict[str, Json]:
    return {one["id"]: one for one in exported() if one["resourceType"] == kind}


@pytest.mark.parametrize("resource", exported(), ids=lambda one: f"{one['resourceType']}-{one['id']}")
def test_every_resource_is_valid(resource: Json) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", resource["name"])
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", resource["id"])
    assert resource["url"] == f"https://baclofen-cds.example/fhir/{resource['resourceType']}/{resource['id']}"
    assert resource["version"] == catalogue().content_version
    assert resource["status"] == "draft"


def test_the_codes_of_rules_and_reasons_are_those_of_the_cards() -> None:
    systems = of("CodeSystem")
    rules = {(one["code"], one["display"]) for one in systems["rule"]["concept"]}
    reasons = {(one["code"], one["display"]) for one in systems["override-reason"]["concept"]}
    made = frames(catalogue()).values()
    assert rules == {(frame.source["topic"]["code"], frame.source["topic"]["display"]) for frame in made}
    assert reasons == {(one["code"], one["display"]) for frame in made for one in frame.override_reasons}
    assert {systems["rule"]["url"]} == {frame.source["topic"]["system"] for frame in made}
    assert {systems["override-reason"]["url"]} == {one["system"] for frame in made for one in frame.override_reasons}
    for system in systems.values():
        assert system["count"] == len(system["concept"])


def test_each_question_is_a_plan_in_event_condition_action_form() -> None:
    plans = of("PlanDefinition")
    assert len(plans) == len(catalogue().questions)
    for question in catalogue().questions:
        plan = plans[question.name.replace("_", "-")]
        assert plan["type"]["coding"][0]["code"] == "eca-rule"
        assert plan["purpose"] == question.question
        assert all(
            one.name in plan["description"] and str(one.value) in plan["description"] for one in question.parameters
        )
        assert [action["title"] for action in plan["action"]] == [
            question.cards[rule.id].title for rule in question.rules
        ]
        for action, rule in zip(plan["action"], question.rules, strict=True):
            text = question.cards[rule.id]
            assert [one["name"] for one in action["trigger"]] == ["order-sign", "order-select"]
            (condition,) = action["condition"]
            assert condition["expression"]["expression"] == " ".join(text.logic.when)
            assert all(said in action["textEquivalent"] for _, said in text.logic.then)
            labels = [one["label"] for one in action.get("documentation", ())]
            assert labels == [key for key in text.sources if key != "policy"]
            assert len(action.get("action", ())) == len(text.logic.suggests)


def test_suggestions_are_activities_that_exist() -> None:
    activities = of("ActivityDefinition")
    assert activities.keys() == {str(offer) for offer in Offer}
    known = {f"{one['url']}|{one['version']}" for one in activities.values()}
    used = {
        step["definitionCanonical"]
        for plan in of("PlanDefinition").values()
        for action in plan["action"]
        for step in action.get("action", ())
    }
    assert used == known
    assert activities["co-prescribe-naloxone"]["productCodeableConcept"]["coding"][0]["code"] == "1725059"
    assert activities["order-creatinine"]["code"]["coding"][0]["code"] == "2160-0"


def test_the_library_names_every_other_resource_and_holds_the_document() -> None:
    (library,) = of("Library").values()
    named = [one["resource"] for one in library["relatedArtifact"]]
    assert sorted(named) == sorted(f"{one['url']}|{one['version']}" for one in exported() if one is not library)
    held = b64decode(library["content"][0]["data"]).decode()
    assert held == clinical_document(catalogue(), versioned=True)


def test_a_source_that_nobody_read_is_said_to_be_so() -> None:
    cited = [
        artifact
        for plan in of("PlanDefinition").values()
        for artifact in (
            *plan.get("relatedArtifact", ()),
            *(d for a in plan["action"] for d in a.get("documentation", ())),
        )
    ]
    evidence = catalogue().library.evidence
    for artifact in cited:
        unread = evidence[artifact["label"]].status == "to-verify"
        assert artifact["display"].startswith("Not read by this project") == unread


# ------------------------------------------------------------------------------------------------------ value sets


def test_every_row_of_every_value_set_is_there() -> None:
    sets = of("ValueSet")
    for file in value_set_files():
        compose = sets[file.value_set]["compose"]
        system = URIS[file.system]
        here = [part for part in compose["include"] if part["system"] == system]
        out = [part for part in compose.get("exclude", ()) if part["system"] == system]
        concepts = [one for part in here for one in part.get("concept", ())]
        assert [(one["code"], one.get("display", "")) for one in concepts] == [
            (row.code, row.display) for row in file.rows if row.match == "exact"
        ]
        flags = [
            tuple(each["valueCode"] for each in one.get("extension", ()) if each["url"] == FLAG) for one in concepts
        ]
        assert flags == [row.flags for row in file.rows if row.match == "exact"]
        for match, parts in (("prefix", here), ("exclude", out)):
            patterns = [part["filter"][0]["value"] for part in parts if "filter" in part]
            rows = [row for row in file.rows if row.match == match]
            assert len(patterns) == len(rows)
            for pattern, row in zip(patterns, rows, strict=True):
                assert re.fullmatch(pattern, row.code)
                assert re.fullmatch(pattern, f"{row.code}1")
                assert not re.fullmatch(pattern, f"1{row.code}")


def test_no_row_of_its_own_lies_under_an_exclusion() -> None:
    """It would win in our look-up, and be taken out by an exclusion in FHIR."""
    for file in value_set_files():
        excluded = tuple(bare_code(row.code) for row in file.rows if row.match == "exclude")
        own = [row.code for row in file.rows if row.match == "exact"]
        assert not [code for code in own if excluded and bare_code(code).startswith(excluded)], file.value_set


def test_code_systems_are_named_by_the_addresses_that_the_service_reads() -> None:
    assert {known_system(uri) for uri in URIS.values()} == set(System)
    assert all(known_system(uri) is system for system, uri in URIS.items())


@pytest.mark.parametrize(("allowed", "system"), [("dmd", System.SNOMED), ("snomed", System.DMD)])
def test_a_system_that_the_site_may_not_use_is_left_out(allowed: str, system: System) -> None:
    written = list(resources(catalogue(), snomed=allowed == "snomed", dmd=allowed == "dmd"))
    text = json.dumps([one for one in written if one["resourceType"] == "ValueSet"])
    assert URIS[system] not in text


# ------------------------------------------------------------------------------------------------- the command line


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert write(one, catalogue(), snomed=True, dmd=True) == len(exported())
    assert write(other, Catalogue.load(), snomed=True, dmd=True) == len(exported())
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    assert len(names) == len(exported())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_the_command_prints_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["content"]) == 0
    assert capsys.readouterr().out == clinical_document(catalogue(), versioned=True)
    assert main(["content", "--unversioned"]) == 0
    assert capsys.readouterr().out == clinical_document(catalogue(), versioned=False)


def test_the_command_writes_the_resources_and_says_what_it_cannot_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["content", "--fhir", str(tmp_path / "out")]) == 0
    assert f"{len(exported())} resources" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    assert main(["content", "--fhir", str(tmp_path / "file")]) == 2
    assert "cannot write" in capsys.readouterr().err
