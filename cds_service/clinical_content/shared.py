"""What all questions share: arithmetic, what is shown, choices, sentences, override reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cards.catalogue import Catalogue
from cards.content import Library
from cards.triage import DOSE_OWNERS, FAMILIES, ORDER, SHOWN_AT_ONCE, SUMMARY_CARD
from cds_service.clinical_content.examples import Example, filled, findings
from cds_service.clinical_content.held_in_code import HELD
from cds_service.clinical_content.markdown import APPROVAL, bullets, heading, table
from cds_service.clinical_content.numbers import number_table, sources


def arithmetic_part(library: Library) -> Iterator[str]:
    yield heading(2, "Shared arithmetic")
    yield "Every question uses these numbers; a change here changes them all."
    for one in library.arithmetic.values():
        yield heading(3, one.title)
        yield bullets(one.steps)
        yield number_table(one.parameters, library.evidence)


def held_in_code_part() -> Iterator[str]:
    yield heading(2, "Numbers that stand in the program")
    yield (
        "These say how a record is read, before any rule is asked. They are no parameters: a change of one is a change "
        "of the program. They need the same approval."
    )
    yield table(
        ("what", "value", "where it comes from", "approved"),
        ((one.what, f"**{one.value}**", one.source, APPROVAL) for one in HELD),
    )


def shown_part(catalogue: Catalogue) -> Iterator[str]:
    yield heading(2, "Which cards are shown")
    yield (
        "Rules find; then the findings are merged, ordered and limited "
        f"(at most {SHOWN_AT_ONCE} cards beside the critical ones, and one that sums up the rest)."
    )
    yield heading(3, SUMMARY_CARD)
    yield (
        f"**{catalogue.words.title(SUMMARY_CARD)}**: the card that sums up the rest, with a line for each "
        "finding and the highest urgency of them."
    )
    yield heading(3, "Order of cards of the same urgency")
    yield bullets([", ".join(f"`{rule}`" for rule in ORDER if rule in catalogue.texts)])
    yield heading(3, "Families, each led by the most urgent, then in this order")
    yield bullets(f"**{name}:** {', '.join(f'`{rule}`' for rule in rules)}" for name, rules in FAMILIES.items())
    yield heading(3, "Who may suggest a dose, first before last")
    yield bullets([", ".join(f"`{rule}`" for rule in DOSE_OWNERS if rule in catalogue.texts)])


def policies_part(library: Library) -> Iterator[str]:
    yield heading(2, "Choices of this service")
    yield (
        "No source gives these. Those marked **owner** can only be approved by the clinical owner; the others follow "
        "from how records and orders are written, and are told here so that nobody is surprised."
    )
    yield table(
        ("choice", "what the service does", "why", "settled in", "approved"),
        (
            (f"`{one.name}`{' **owner**' if one.owner else ''}", one.says, one.why, one.resolution, APPROVAL)
            for one in library.policies
        ),
    )


def sentences_part(library: Library, among: Sequence[Example]) -> Iterator[str]:
    yield heading(2, "Sentences that several cards use")
    yield table(
        ("name", "words", "values", "sources", "why", "approved"),
        (
            (
                f"`{name}`",
                *filled(one.text, next((found for found in findings(among) if name in found[2].detail), None)),
                sources(one.sources, library.evidence),
                one.why,
                APPROVAL,
            )
            for name, one in library.shared_sentences.items()
        ),
    )


def override_part(library: Library) -> Iterator[str]:
    yield heading(2, "Override reasons")
    yield "Every card offers the reasons of group All and those of its own group."
    groups = library.override_groups
    general = {reason.code for reason in groups["All"]}
    yield table(
        ("group", "reasons", "approved"),
        (
            (
                f"**{name}**",
                "; ".join(
                    f"{reason.display} (`{reason.code}`)"
                    for reason in reasons
                    if name == "All" or reason.code not in general
                ),
                APPROVAL,
            )
            for name, reasons in groups.items()
        ),
    )
