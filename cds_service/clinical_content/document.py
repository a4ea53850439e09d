"""The clinical content as one Markdown document that a clinical reviewer reads from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator

from cards.catalogue import Catalogue
from cards.content import Parameter
from cards.value_set_files import value_set_files
from cds_service.clinical_content.examples import examples, unversioned
from cds_service.clinical_content.markdown import bullets, document, heading, link, slug
from cds_service.clinical_content.numbers import NOT_READ, on_policy_alone, value
from cds_service.clinical_content.question import NOT_REVIEWED, Context, chapter, question_part
from cds_service.clinical_content.shared import (
    arithmetic_part,
    held_in_code_part,
    override_part,
    policies_part,
    sentences_part,
    shown_part,
)
from cds_service.clinical_content.sources import bibliography_part, value_sets_part

HOW_TO_READ = """
- A **rule** is told in plain sentences: *when* it is asked, *then* how urgent its card is, what it *suggests*, and
  *unless* when it is silent. The numbers in these sentences are filled in from the tables: they cannot differ from what
  decides.
- **critical** may cause serious harm within days if ignored; **warning** should be looked at before signing; **info**
  is useful and needs no reply.
- A **number** is read with its sign: ≥ at least, > above, ≤ at most, < below. `_max_age` is the age in days up to which
  something counts.
- Each source has a strength (A to D, told in the bibliography) and a status. *policy* means that no source gives the
  number: it is a choice of this service. {not_read} marks a source that nobody has read; no card cites it.
- The **texts** of a card are shown with the values of a vignette, or with ‹blanks› that name what is filled in.
- **Tick *yes* or *no*** beside each number, rule, text, example and choice. A *no* needs a word about what it should
  be; it becomes a change of the content, and another version.
- In the **examples** today is 23 November 2026. Unless they say otherwise the patient takes no other medicine and no
  baclofen, has no naloxone on file and is seen outside hospital; the order is for tablets and states multiple sclerosis
  as its reason; everything can be read; and a new order names the one that it continues.
- Kidney function is named by **tier**, K1 to K5, KD and U: see the shared arithmetic.
"""


def clinical_document(catalogue: Catalogue, *, versioned: bool) -> str:
    """``versioned``: names the content version, which changes with every file of ``cards``, comments included."""
    return document(_blocks(catalogue, versioned=versioned))


def _blocks(catalogue: Catalogue, *, versioned: bool) -> Iterator[str]:
    library = catalogue.library
    words = catalogue.words if versioned else unversioned(catalogue.words)
    context = Context(
        library.evidence, words,
        examples(catalogue),
    )  # fmt: skip
    yield from _front(catalogue, versioned=versioned)
    yield from _how_to_read()
    yield from _to_decide(catalogue)
    yield from arithmetic_part(library)
    for number, question in enumerate(catalogue.questions, 1):
        yield from question_part(number, question, context)
    yield from shown_part(catalogue)
    yield from policies_part(library)
    yield from sentences_part(library, context.examples)
    yield from override_part(library)
    yield from held_in_code_part()
    yield from bibliography_part(catalogue)
    yield from value_sets_part(value_set_files())


def _front(catalogue: Catalogue, *, versioned: bool) -> Iterator[str]:
    reviewed = [one for one in catalogue.questions if one.reviewed_on and one.reviewed_by]
    numbers, vignettes = len(_numbers(catalogue)), len(examples(catalogue))
    yield heading(1, "Clinical content of Baclofen CDS")
    yield (
        f"{NOT_REVIEWED}: {len(catalogue.questions) - len(reviewed)} of {len(catalogue.questions)} clinical questions "
        "have no reviewer. Not for use with patients before a licensed pharmacist or physician has approved it."
        if len(reviewed) < len(catalogue.questions)
        else f"All {len(reviewed)} clinical questions are reviewed."
    )
    version = (
        f"**Content version {catalogue.content_version}**: every card, and the service's health page, name it. What is "
        "approved here is this version, and no other."
        if versioned
        else "The content version of a running service stands on its page `/content`, on every card, and in the output "
        "of `baclofen-cds content`; an approval names it."
    )
    yield version
    yield (
        "Baclofen CDS answers while a prescriber signs an order for baclofen. It reads the order and what the record "
        "sends, and shows cards. It changes nothing by itself: every suggestion needs a click, every card can be "
        "overridden. This document is written by the program from the content that decides."
    )
    yield (
        f"{len(catalogue.questions)} questions, {len(catalogue.texts)} rules, {numbers} numbers, {vignettes} worked "
        f"examples, {len(catalogue.library.evidence)} sources."
    )
    yield f"Approved by (name, role): {'_' * 48}"
    yield f"Date: {'_' * 16} Signature: {'_' * 32}"


def _how_to_read() -> Iterator[str]:
    yield heading(2, "How to read this document")
    yield HOW_TO_READ.format(not_read=NOT_READ)


def _to_decide(catalogue: Catalogue) -> Iterator[str]:
    yield heading(2, "What needs a decision first")
    yield "Numbers that rest on policy alone, by question (all others have a source as well):"
    yield bullets(
        f"{link(name, slug(name))}: {', '.join(f'`{one.name}` {value(one)}' for one in numbers)}"
        for name, every in _by_part(catalogue)
        if (numbers := [one for one in every if on_policy_alone(one, catalogue.library.evidence)])
    )
    owned = [one.name for one in catalogue.library.policies if one.owner]
    yield (
        f"{len(owned)} {link('choices of this service', slug('Choices of this service'))} that only the clinical owner "
        f"can approve: {', '.join(f'`{name}`' for name in owned)}."
    )


def _by_part(catalogue: Catalogue) -> list[tuple[str, tuple[Parameter, ...]]]:
    shared = [(one.title, one.parameters) for one in catalogue.library.arithmetic.values()]
    return shared + [(chapter(n, question), question.parameters) for n, question in enumerate(catalogue.questions, 1)]


def _numbers(catalogue: Catalogue) -> list[Parameter]:
    return [number for _, numbers in _by_part(catalogue) for number in numbers]
