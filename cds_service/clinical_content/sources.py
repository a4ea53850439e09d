"""Bibliography and value sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from cards.catalogue import Catalogue
from cards.content import Source
from cards.value_set_files import ValueSetFile
from cds_service.clinical_content.markdown import bullets, heading, table
from cds_service.clinical_content.numbers import NOT_READ, status

STRENGTHS = (
    "**A** a randomised, meta-analytic or regulatory text (for what a label says)",
    "**B** a large adjusted observational study, or a graded guideline",
    "**C** a small pharmacokinetic study, a case series, consensus",
    "**D** a case report, opinion, analogy",
)


def bibliography_part(catalogue: Catalogue) -> Iterator[str]:
    evidence = catalogue.library.evidence
    unread = [one.id for one in evidence.values() if one.status == "to-verify"]
    yield heading(2, "Bibliography")
    yield bullets(STRENGTHS)
    yield (
        f"{len(evidence)} sources. {NOT_READ}: {', '.join(unread) or 'none'}. Nobody has read these; no card may cite "
        "them. *Read in a restatement*: what a third party says that the source says."
    )
    cited = _cited(catalogue)
    yield table(
        ("id", "source", "what it says", "strength", "status and what was read", "used by"),
        (
            (f"`{one.id}`", _source(one), _says(one), one.strength, _status(one), ", ".join(cited.get(one.id, ())))
            for one in evidence.values()
        ),
    )


def _source(source: Source) -> str:
    return f"[{source.citation}]({source.link})" if source.link else source.citation


def _says(source: Source) -> str:
    further = f" In a restatement: {source.secondary}" if source.secondary else ""
    unverified = f" **Not read, or our inference:** {source.unverified}" if source.unverified else ""
    return source.says + further + unverified


def _status(source: Source) -> str:
    read = f"[{source.read}]({source.url})" if source.url else source.read
    return f"{status(source)}: {read}" if read else status(source)


def _cited(catalogue: Catalogue) -> Mapping[str, list[str]]:
    """Source id → the numbers and cards that name it."""
    cited: dict[str, list[str]] = defaultdict(list)
    library = catalogue.library
    for shared in library.arithmetic.values():
        for number in shared.parameters:
            for key in number.sources:
                cited[key].append(f"`{shared.name}.{number.name}`")
    for question in catalogue.questions:
        for number in question.parameters:
            for key in number.sources:
                cited[key].append(f"`{number.name}`")
        for text in question.cards.values():
            for key in text.sources:
                cited[key].append(f"card `{text.rule}`")
    for name, sentence in library.shared_sentences.items():
        for key in sentence.sources:
            cited[key].append(f"sentence `{name}`")
    return cited


def value_sets_part(files: list[ValueSetFile]) -> Iterator[str]:
    sets: dict[str, list[ValueSetFile]] = defaultdict(list)
    for file in files:
        sets[file.value_set].append(file)
    yield heading(2, "Value sets")
    yield (
        f"{len(sets)} value sets say by which codes medicines, problems and results are recognised: "
        f"{sum(len(file.rows) for file in files)} rows. Their columns, sources, known holes and licences are told in "
        "`cards/value_sets/README.md`. *Name derived*: the code stands in a source, its name was derived."
    )
    yield table(
        ("value set", "title", "rows by code system", "name derived", "licences", "version"),
        (_value_set(name, held) for name, held in sets.items()),
    )


def _value_set(name: str, held: list[ValueSetFile]) -> tuple[str, ...]:
    return (
        f"`{name}`",
        held[0].title,
        ", ".join(f"{file.system.value} {len(file.rows)}" for file in held),
        str(sum(not row.verified for file in held for row in file.rows) or "–"),
        "; ".join(sorted({file.licence for file in held})),
        "; ".join(sorted({file.version for file in held})),
    )
