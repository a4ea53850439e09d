"""One clinical question: what it asks, its rules, numbers, words and examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cards.content import CardText, Question, Source
from cards.facts import Input
from cards.logic import Logic
from cards.rule import GapRule
from cards.wording import Words
from cds_service.clinical_content.examples import (
    Example,
    as_shown,
    card_of,
    filled,
    findings,
    vignette_table,
)
from cds_service.clinical_content.markdown import APPROVAL, bullets, heading, section, table
from cds_service.clinical_content.numbers import number_table, sources

NOT_REVIEWED = "**NOT CLINICALLY REVIEWED**"


@dataclass(frozen=True, slots=True)
class Context:
    """What every part of the document needs beside its own question."""

    evidence: Mapping[str, Source]
    words: Words
    examples: Sequence[Example]


def title(question: Question) -> str:
    """ "kidney_function" as "Kidney function"."""
    return question.name.replace("_", " ").capitalize()


def chapter(number: int, question: Question) -> str:
    """A heading that no rule has: "Question 8: Pregnancy"."""
    return f"Question {number}: {title(question)}"


def question_part(number: int, question: Question, context: Context) -> Iterator[str]:
    yield heading(2, chapter(number, question))
    yield f"**{question.question}**"
    yield review(question)
    yield bullets(
        (
            f"**Consequence:** {question.clinical_consequence}",
            f"**Mechanism:** {question.mechanism}",
            f"**Rules:** {', '.join(f'`{rule.id}`' for rule in question.rules)}",
        )
    )
    yield from section(
        3,
        f"{title(question)}: numbers",
        [number_table(question.parameters, context.evidence) or "This question has no numbers of its own."],
    )
    for rule in question.rules:
        yield from _rule(question.cards[rule.id], context, last=isinstance(rule, GapRule))
    mine = [one for one in context.examples if one.vignette.question == question.name]
    yield from section(3, f"{title(question)}: vignettes", [vignette_table(mine, context.words)])
    yield from section(3, f"{title(question)}: what silence means", [_when_unknown(question)])
    yield from section(3, f"{title(question)}: not covered", [bullets(question.not_covered)])


def review(question: Question) -> str:
    if question.reviewed_on and question.reviewed_by:
        return f"Reviewed on {question.reviewed_on} by {question.reviewed_by}."
    return f"{NOT_REVIEWED}: this question has no reviewer yet. Reviewed on ____________ by ________________________"


# --------------------------------------------------------------------------------------------------------- one rule


def _rule(text: CardText, context: Context, *, last: bool) -> Iterator[str]:
    yield heading(3, text.rule)
    about = [
        f"**Card title:** {text.title}",
        f"**Urgency:** {', '.join(str(one) for one in sorted(text.indicators, reverse=True))}; family {text.family}",
        f"**Sources on the card:** {sources(text.sources, context.evidence)}",
        f"**Override reasons:** group {text.overrides}",
    ]
    if last:
        about.append("Asked last, once for each signing, about the outcomes of all other rules.")
    yield bullets(about)
    yield logic_part(text.logic)
    yield f"Rule approved: {APPROVAL}"
    yield _example(text, context)
    yield words_table(text, context.examples)


def logic_part(logic: Logic) -> str:
    lines = ["**When** (all of these)", bullets(logic.when)]
    lines += [
        "**Then** (the first that holds decides)",
        bullets(f"**{urgency}**: {said}" for urgency, said in logic.then),
    ]
    lines += ["**Suggests**", bullets(f"`{offer}`: {said}" for offer, said in logic.suggests) or "- nothing"]
    lines += ["**Unless** (any of these: no card)", bullets(logic.unless)] if logic.unless else []
    return "\n\n".join(lines)


def _example(text: CardText, context: Context) -> str:
    found = card_of(text.rule, context.examples)
    if found is None:
        return "**No vignette reaches this card.**"
    example, card, carrier = found
    inside = f"; the card of `{carrier}` carries it there, and it is shown here on its own" if carrier else ""
    return f"**As a prescriber sees it** ({example.vignette}{inside}):\n\n{as_shown(card, context.words)}"


def words_table(text: CardText, examples: Sequence[Example]) -> str:
    """Every text of one card."""
    of_rule = [found for found in findings(examples) if found[2].rule == text.rule]
    rows = []
    for name, said in text.summary.items():
        shown = next((found for found in of_rule if found[2].summary == name), None)
        rows.append((f"summary `{name}`", *filled(said, shown), APPROVAL))
    for name, said in text.detail.items():
        shown = next((found for found in of_rule if name in found[2].detail), None)
        rows.append((f"detail `{name}`", *filled(said, shown), APPROVAL))
    return f"Every text that this card can show:\n\n{table(('text', 'words', 'values', 'approved'), rows)}"


def _when_unknown(question: Question) -> str:
    return table(
        ("what cannot be known", "the record was read and holds nothing", "it could not be read"),
        (
            (Input[name].value, said["not_recorded"], said["not_available"])
            for name, said in question.when_unknown.items()
        ),
    )
