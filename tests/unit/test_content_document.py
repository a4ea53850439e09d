"""The clinical document holds everything that decides or is shown, in the numbers and words of the running content."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from cards import catalogue as catalogue_module
from cards import content
from cards.catalogue import Catalogue
from cards.content import HERE, Parameter
from cards.logic import offer_of
from cards.quantities import Age
from cards.triage import SUMMARY_CARD
from cards.value_set_files import value_set_files
from cds_service.clinical_content.document import clinical_document
from cds_service.clinical_content.examples import Example, card_of, examples, suggestion_labels
from cds_service.clinical_content.markdown import APPROVAL
from cds_service.clinical_content.numbers import NOT_READ, on_policy_alone, value
from tests.unit.cases import make_case

ROOT = Path(__file__).parents[2]
CHECKED_IN = ROOT / "docs" / "clinical-content.md"


@cache
def loaded() -> Catalogue:
    return Catalogue.load()


@cache
def document() -> str:
    return clinical_document(loaded(), versioned=False)


@cache
def run() -> list[Example]:
    return examples(loaded())


def question_chapter(name: str) -> str:
    """The chapter of one question folder, with all its parts."""
    number = [question.name for question in loaded().questions].index(name) + 1
    return chapter(f"Question {number}: {name.replace('_', ' ').capitalize()}")


def chapter(title: str) -> str:
    return document().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def row(text: str, key: str) -> str:
    """The table row that begins with ``key``."""
    found = [line for line in text.splitlines() if line.startswith(f"| {key} |")]
    assert len(found) == 1, f"{key}: {len(found)} rows"
    return found[0]


def test_the_checked_in_document_is_current() -> None:
    assert CHECKED_IN.read_text("utf-8") == document(), "write it anew with: make content"


# --------------------------------------------------------------------------------------------------------- numbers


def numbers() -> list[tuple[str, Parameter]]:
    shared = [("", one) for held in loaded().library.arithmetic.values() for one in held.parameters]
    own = [(question.name, one) for question in loaded().questions for one in question.parameters]
    return shared + own


@pytest.mark.parametrize(("question", "number"), numbers(), ids=lambda each: getattr(each, "name", each))
def test_every_number_stands_with_unit_sources_reason_and_a_place_to_approve_it(
    question: str, number: Parameter
) -> None:
    part = question_chapter(question) if question else chapter("Shared arithmetic")
    written = [line for line in part.splitlines() if line.startswith(f"| `{number.name}` | **{value(number)}**")]
    assert written, f"{number.name} with {value(number)}"
    line = written[0]
    assert format(number.value) in line
    assert number.why.replace("|", r"\|") in line
    assert all(f"[{key}](#{key.lower()})" in line for key in number.sources if key != "policy")
    assert ("policy" in line) or "policy" not in number.sources
    assert line.endswith(f"| {APPROVAL} |")


def test_the_sign_of_a_number_follows_its_name() -> None:
    named = {one.name: value(one) for _, one in numbers()}
    assert named["harm_at_least"] == "≥ 20 mg/day"
    assert named["half_maximum_above"] == "> 40 mg/day"
    assert named["acute_unchanged_at_most"] == "≤ 7.5 mg/day"
    assert named["exposure_below"] == "< 14 days"
    assert named["recheck_above"] == "> 90 days"
    assert named["stale_max_age"] == "≤ 1826 days old"
    assert named["ceiling_k4"] == "7.5 mg/day"


def test_numbers_that_no_source_gives_are_listed_first() -> None:
    listed = chapter("What needs a decision first")
    alone = {one.name for _, one in numbers() if on_policy_alone(one, loaded().library.evidence)}
    for _, number in numbers():
        assert (f"`{number.name}` " in listed) == (number.name in alone), number.name


def test_adults_begin_at_one_age() -> None:
    """Case.adult, the kidney resolver and the children's question each say where adults begin."""
    named = {one.value for _, one in numbers() if one.name in ("child_below", "adult_at_least")}
    assert named == {Age.of(18)}
    assert make_case(ordered="5 mg TID", age=18).adult
    assert not make_case(ordered="5 mg TID", age=17).adult


# ----------------------------------------------------------------------------------------------------- rules and words


@pytest.mark.parametrize("rule", loaded().texts)
def test_every_rule_is_told_in_sentences_shown_as_a_card_and_written_out(rule: str) -> None:
    text = loaded().texts[rule]
    part = document().partition(f"\n### {rule}\n")[2].partition("\n### ")[0]
    logic = text.logic
    for sentence in (*logic.when, *logic.unless, *(said for _, said in (*logic.then, *logic.suggests))):
        assert sentence in part
    assert f"Rule approved: {APPROVAL}" in part
    assert "**As a prescriber sees it**" in part
    for kind, texts in (("summary", text.summary), ("detail", text.detail)):
        for name, said in texts.items():
            line = row(part, f"{kind} `{name}`")
            for fixed in filter(None, re.split(r"\{\w+(?::n)?\}", said)):
                assert " ".join(fixed.split()).replace("|", r"\|") in line
            assert not re.search(r"[{}]| (with|at|of|to) [,.;]|\('", line), "a value is missing"
            assert line.endswith(f"| {APPROVAL} |")


def test_texts_carry_the_values_of_a_vignette_or_named_blanks() -> None:
    words = document().partition("\n### renal-avoid-severe\n")[2]
    assert "| Avoid baclofen at eGFR 29: ordered 15 mg/day; encephalopathy" in row(
        words.partition("\n### ")[0], "summary `default`"
    )
    assert "| V12 |" in row(words.partition("\n### ")[0], "summary `default`")
    assert "Avoid baclofen at eGFR ‹egfr›: ordered ‹ordered›; current" in row(
        words.partition("\n### ")[0], "summary `current_unknown`"
    )


@pytest.mark.parametrize("rule", loaded().texts)
def test_the_example_card_is_the_one_that_the_clinic_makes(rule: str) -> None:
    found = card_of(rule, run())
    assert found is not None, f"no vignette reaches {rule}"
    example, card, _ = found
    words = loaded().words.of(card)
    part = document().partition(f"\n### {rule}\n")[2].partition("\n### ")[0]
    assert f"**{str(card.indicator).upper()}: {words.summary}**" in part
    assert str(example.vignette) in part
    first = words.detail.split("\n\n")[0]
    assert f"> {first}" in part
    assert all(f"> - {label}" in part for label in suggestion_labels(card))


@pytest.mark.parametrize("example", run(), ids=lambda example: example.vignette.number)
def test_findings_keep_to_what_their_rule_declares(example: Example) -> None:
    for _, finding in example.findings:
        logic = loaded().texts[finding.rule].logic
        assert finding.indicator in {indicator for indicator, _ in logic.then}
        assert {offer_of(one) for one in finding.proposals} <= {offer for offer, _ in logic.suggests}


def test_every_vignette_stands_in_its_question_with_its_cards() -> None:
    assert len(run()) >= 80
    for example in run():
        line = row(
            question_chapter(example.vignette.question), f"**{example.vignette.number}** {example.vignette.name}"
        )
        for card in example.cards:
            assert f"**{card.indicator}** `{card.rule}`" in line
        assert ("**no card**" in line) == (not example.cards)


def test_a_vignette_reads_as_a_patient_and_an_order() -> None:
    line = row(question_chapter("kidney_function"), "**V05** K3a, slow sequence")
    assert "| 58-year-old woman; multiple sclerosis; creatinine 1.25 mg/dL, 60 days ago |" in line
    assert "| 2.5 mg TID for 7 d, then 5 mg TID for 7 d, then 7.5 mg TID |" in line
    stop = row(question_chapter("withdrawal"), "**V43** Abrupt stop of high dose")
    assert "takes baclofen 20 mg QID, for 1095 days" in stop
    assert "| stop |" in stop


def test_what_silence_means_and_what_is_not_covered_is_told_for_every_question() -> None:
    for question in loaded().questions:
        part = question_chapter(question.name)
        assert all(said["not_available"] in part for said in question.when_unknown.values()), question.name
        assert all(f"- {line}" in part for line in question.not_covered)
        assert ("NOT CLINICALLY REVIEWED" in part) == (not question.reviewed_by)


# -------------------------------------------------------------------------------------------------- sources and choices


def test_nobody_cites_what_nobody_read() -> None:
    evidence = loaded().library.evidence
    unread = {key for key, source in evidence.items() if source.status == "to-verify"}
    assert unread, "the list of unread sources is empty: then this test shows nothing"
    cited = {key for text in loaded().texts.values() for key in text.sources}
    cited |= {key for one in loaded().library.shared_sentences.values() for key in one.sources}
    assert cited & unread == set()
    for example in run():
        for card in example.cards:
            detail = loaded().words.of(card).detail
            assert not [key for key in unread if evidence[key].citation in detail]


def test_every_source_stands_in_the_bibliography_with_its_status() -> None:
    part = chapter("Bibliography")
    for key, source in loaded().library.evidence.items():
        line = row(part, f"`{key}`")
        assert source.says.replace("|", r"\|") in line
        assert (NOT_READ in line) == (source.status == "to-verify")


def test_policies_name_where_they_were_settled_and_the_owner_has_those_marked_so() -> None:
    pages = {
        "resolutions": (ROOT / "docs/specification/resolutions.md").read_text("utf-8"),
        "rules": (ROOT / "docs/specification/rules.md").read_text("utf-8"),
    }
    part = chapter("Choices of this service")
    owned = set()
    for policy in loaded().library.policies:
        assert policy.says in row(part, f"`{policy.name}`{' **owner**' if policy.owner else ''}")
        where, number = policy.resolution.split()
        if where in pages:
            assert re.search(rf"^(- )?(\*\*)?{re.escape(number)}[. ]", pages[where], flags=re.MULTILINE), policy.name
        else:
            assert list((ROOT / "docs/decisions").glob(f"{number}-*.md")), policy.name
        if policy.owner and where == "resolutions":
            owned.add(number)
    marked = set(re.findall(r"^(\w+)\. [^\n]*\(owner\)", pages["resolutions"], flags=re.MULTILINE))
    assert marked
    assert marked <= owned


def test_override_reasons_sentences_and_value_sets_are_all_there() -> None:
    library = loaded().library
    reasons = chapter("Override reasons")
    assert all(f"`{one.code}`" in reasons for group in library.override_groups.values() for one in group)
    sentences = chapter("Sentences that several cards use")
    assert all(row(sentences, f"`{name}`") for name in library.sentences)
    sets = chapter("Value sets")
    for file in value_set_files():
        line = row(sets, f"`{file.value_set}`")
        assert f"{file.system.value} {len(file.rows)}" in line
        assert file.licence in line


def test_the_card_that_sums_up_has_its_place_too() -> None:
    assert f"\n### {SUMMARY_CARD}\n" in document()


# ---------------------------------------------------------------------------------------------------------- versions


def test_only_the_versioned_document_changes_with_every_file() -> None:
    version = loaded().content_version
    assert version not in document()
    assert version in clinical_document(loaded(), versioned=True)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The content files alone, to be changed; rules and vignettes are the real ones."""
    cards = tmp_path / "cards"
    shutil.copytree(HERE, cards, ignore=shutil.ignore_patterns("*.py", "__pycache__", "value_sets"))
    for module in (content, catalogue_module):
        monkeypatch.setattr(module, "HERE", cards)
    return cards


@pytest.mark.parametrize(
    ("file", "old", "new", "before", "after"),
    [
        (
            "kidney_function/card.toml",
            "[parameters.harm_at_least]\nvalue = 20",
            "[parameters.harm_at_least]\nvalue = 22.5",
            "a first order or an increase to 20 mg/day or more",
            "a first order or an increase to 22.5 mg/day or more",
        ),
        (
            "dosing.toml",
            "[parameters.start_k3]\nvalue = 7.5",
            "[parameters.start_k3]\nvalue = 5",
            "> - Change to 2.5 mg TID (7.5 mg/day)",
            "> - Change to 2.5 mg BID (5 mg/day)",
        ),
        (
            "kidney.toml",
            "[parameters.stale_max_age]\nvalue = 1826",
            "[parameters.stale_max_age]\nvalue = 730",
            "is used up to 1826 days and marked as stale",
            "is used up to 730 days and marked as stale",
        ),
        (
            "mental_health/card.toml",
            "[parameters.supply]\nvalue = 7",
            "[parameters.supply]\nvalue = 5",
            "Limit to a 7-day supply",
            "Limit to a 5-day supply",
        ),
        (
            "withdrawal/card.toml",
            'pump_advice = "Call the team',
            'pump_advice = "Ring the team',
            "Call the team that looks after the pump before anything is stopped.",
            "Ring the team that looks after the pump before anything is stopped.",
        ),
    ],
)
def test_what_changes_in_a_file_changes_in_the_document(
    copy: Path, *, file: str, old: str, new: str, before: str, after: str
) -> None:
    path = copy / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")
    changed = clinical_document(Catalogue.load(), versioned=False)
    assert changed.count(after) > document().count(after)
    assert changed.count(before) < document().count(before)


def test_a_source_that_turns_out_unread_stops_the_start(copy: Path) -> None:
    text = (copy / "evidence.toml").read_text("utf-8")
    entry = re.search(r"\[E-REN-11\].*?\n\n", text, flags=re.DOTALL)
    assert entry is not None
    unread = entry[0].replace('status = "verified"', 'status = "to-verify"')
    (copy / "evidence.toml").write_text(text.replace(entry[0], unread), "utf-8")
    with pytest.raises(content.ContentError, match=r"E-REN-11 is marked to-verify"):
        Catalogue.load()
