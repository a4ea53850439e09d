"""Strict reader of the clinical content: cards, parameters, bibliography, shared sentences, override reasons.

Whatever is wrong stops the start with a ``ContentError`` that names file and table and tells the cure. A number cannot
exist without a unit and a source; a card cannot cite a source that nobody read.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from cards.logic import Logic, LogicError, logic, sentences
from cards.outcome import Indicator
from cards.quantities import UNITS, Quantity
from cards.rule import GapRule, Rule
from cards.values import frozen

HERE = Path(__file__).parent
POLICY = "policy"
"""The source of a number that no paper gives: a choice of this service, approved by the clinical owner."""
LONGEST_SUMMARY = 139
"""CDS Hooks 2.0.1: a card's summary is shorter than 140 characters; counted in code points."""
SHARED = ("kidney", "case", "dosing")
"""The files of numbers that several questions share, in the order in which they are used."""

_PLACEHOLDER = re.compile(r"\{(\w+)(?::(n))?\}")
_L = TypeVar("_L")


class ContentError(ValueError):
    """The clinical content is not fit to be shown. The message names file and table, and the cure."""

    def __init__(self, file: Path, table: str, wrong: str, cure: str) -> None:
        super().__init__(f"{file.relative_to(HERE.parent)} [{table}]: {wrong}. Cure: {cure}")


@frozen
class Source:
    """One entry of the bibliography."""

    id: str
    citation: str
    says: str
    strength: str
    status: str
    link: str
    read: str = ""
    """What was read of it."""
    url: str = ""
    """Where it was read."""
    secondary: str = ""
    """A further statement, read only in a third party's restatement."""
    unverified: str = ""
    """What nobody read, or what is our own inference: no card states it as the source's word."""

    @property
    def was_read(self) -> bool:
        return self.status in ("verified", "verified-secondary")


@frozen
class Parameter:
    name: str
    value: Quantity
    sources: tuple[str, ...]
    why: str


@frozen
class Sentence:
    """A paragraph that any card may use."""

    text: str
    sources: tuple[str, ...]
    why: str


@frozen
class CardText:
    """The words of one rule's card."""

    rule: str
    title: str
    indicators: frozenset[Indicator]
    family: str
    overrides: str
    sources: tuple[str, ...]
    summary: Mapping[str, str]
    detail: Mapping[str, str]
    logic: Logic


@frozen
class Arithmetic:
    """Numbers that several questions share, and what is done with them."""

    name: str
    title: str
    steps: tuple[str, ...]
    parameters: tuple[Parameter, ...]


@frozen
class Policy:
    """A choice of this service that is no number of a rule; ``owner``: the clinical owner has to confirm it."""

    name: str
    resolution: str
    """Number in docs/specification/resolutions.md or rules.md section 7."""
    owner: bool
    says: str
    why: str


@frozen
class Question:
    """One clinical question: its rules, their limits and words."""

    name: str
    question: str
    clinical_consequence: str
    mechanism: str
    reviewed_on: str
    reviewed_by: str
    not_covered: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    cards: Mapping[str, CardText]
    placeholders: Mapping[str, str]
    when_unknown: Mapping[str, Mapping[str, str]]
    rules: tuple[Rule | GapRule, ...]
    limits: Any


@frozen
class OverrideReason:
    code: str
    display: str


class Library:
    """What every question shares: bibliography, sentences, override reasons."""

    @cached_property
    def evidence(self) -> Mapping[str, Source]:
        path = HERE / "evidence.toml"
        return {
            key: Source(
                key,
                _text(path, key, entry, "citation"),
                _text(path, key, entry, "says"),
                str(entry.get("strength", "")),
                _one_of(path, key, entry, "status", ("verified", "verified-secondary", "to-verify", POLICY)),
                *(str(entry.get(name, "")) for name in ("link", "read", "url", "secondary", "unverified")),
            )
            for key, entry in read_toml(path).items()
        }

    @cached_property
    def _shared(self) -> dict[str, Any]:
        return read_toml(HERE / "sentences.toml")

    @cached_property
    def shared_sentences(self) -> Mapping[str, Sentence]:
        """Paragraphs that any card may use, by name ("S-WATCH")."""
        path = HERE / "sentences.toml"
        found = {}
        for name, entry in self._shared["sentences"].items():
            _known(path, name, entry, {"text", "sources", "why"})
            sources = self.check_sources(path, name, entry.get("sources"), shown=True)
            if unknown := named_in(entry["text"]) - self.standard_placeholders.keys():
                raise ContentError(
                    path, name, f"placeholders {sorted(unknown)} have no value", "declare them in [placeholders]"
                )
            found[name] = Sentence(_text(path, name, entry, "text"), sources, _text(path, name, entry, "why"))
        return found

    @cached_property
    def sentences(self) -> Mapping[str, str]:
        return {name: sentence.text for name, sentence in self.shared_sentences.items()}

    @cached_property
    def standard_placeholders(self) -> Mapping[str, str]:
        """Placeholders that every case fills, with their longest likely text."""
        return dict(self._shared["placeholders"])

    @cached_property
    def override_groups(self) -> Mapping[str, tuple[OverrideReason, ...]]:
        """Group letter → its override reasons, those of group "All" included (resolutions.md 25)."""
        path = HERE / "override_reasons.toml"
        content = read_toml(path)
        display = content["reasons"]
        groups: dict[str, tuple[OverrideReason, ...]] = {}
        for group, own in content["groups"].items():
            codes = [*content["groups"]["All"], *(code for code in own if group != "All")]
            if unknown := [code for code in codes if code not in display]:
                raise ContentError(path, f"groups.{group}", f"{unknown} have no display", "add them under [reasons]")
            groups[group] = tuple(OverrideReason(code, display[code]) for code in codes)
        return groups

    @cached_property
    def arithmetic(self) -> Mapping[str, Arithmetic]:
        """kidney.toml, case.toml and dosing.toml by name, their sentences filled."""
        found = {}
        for name in SHARED:
            path = HERE / f"{name}.toml"
            content = read_toml(path)
            parameters = self.parameters(path, content["parameters"])
            own = {parameter.name: parameter.value for parameter in parameters}
            with _placed(path, "steps"):
                steps = sentences(content.get("steps"), own)
            found[name] = Arithmetic(name, _text(path, "", content, "title"), steps, parameters)
        return found

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        path = HERE / "policies.toml"
        numbers = self._shared_numbers
        found = []
        for name, entry in read_toml(path).items():
            _known(path, name, entry, {"resolution", "owner", "says", "why"})
            with _placed(path, name):
                (says,) = sentences([_text(path, name, entry, "says")], numbers)
            resolution, why = _text(path, name, entry, "resolution"), _text(path, name, entry, "why")
            found.append(Policy(name, resolution, entry.get("owner") is True, says, why))
        return tuple(found)

    @cached_property
    def _shared_numbers(self) -> Mapping[str, Quantity]:
        """ "dosing.start_k3" → 7.5 mg/day."""
        return {f"{one.name}.{each.name}": each.value for one in self.arithmetic.values() for each in one.parameters}

    def check_sources(self, path: Path, table: str, sources: object, *, shown: bool) -> tuple[str, ...]:
        """Source ids of a parameter or card. ``shown``: a prescriber will read them, so each must have been read."""
        if not isinstance(sources, list) or not sources:
            raise ContentError(path, table, "no sources", f'name an entry of evidence.toml, or "{POLICY}"')
        for key in sources:
            if key == POLICY:
                continue
            if key not in self.evidence:
                raise ContentError(path, table, f"source {key} is not in evidence.toml", "add it there first")
            if shown and self.evidence[key].status == "to-verify":
                raise ContentError(path, table, f"source {key} is marked to-verify", "read it, or do not cite it")
        return tuple(sources)

    def parameters(self, path: Path, tables: Mapping[str, Any]) -> tuple[Parameter, ...]:
        found = []
        for name, entry in tables.items():
            table = f"parameters.{name}"
            _known(path, table, entry, {"value", "unit", "sources", "why"})
            if not isinstance(entry.get("value"), int | float | str):
                raise ContentError(path, table, "no value", "give the number")
            unit = entry.get("unit")
            if unit not in UNITS:
                raise ContentError(path, table, f"unit {unit!r} is not one of {sorted(UNITS)}", "name the unit")
            sources = self.check_sources(path, table, entry.get("sources"), shown=False)
            found.append(
                Parameter(name, UNITS[unit].of(str(entry["value"])), sources, _text(path, table, entry, "why"))
            )
        return tuple(found)

    def limits(self, path: Path, parameters: Sequence[Parameter], into: type[_L]) -> _L:
        """The frozen dataclass ``into`` with one field per parameter: no more, no less, each of its own unit."""
        wanted = {field.name: field.type for field in fields(into)}  # type: ignore[arg-type]
        given = {parameter.name: parameter.value for parameter in parameters}
        if wanted.keys() != given.keys():
            raise ContentError(
                path, "parameters", f"only in the rule: {sorted(wanted.keys() - given.keys())}, only in the file: "
                f"{sorted(given.keys() - wanted.keys())}", "make both name the same parameters",
            )  # fmt: skip
        for name, value in given.items():
            if wanted[name] not in (type(value), type(value).__name__):
                raise ContentError(
                    path, f"parameters.{name}", f"is {value.unit}, the rule wants {wanted[name]}", "fix the unit"
                )
        return into(**given)

    def load_parameters(self, path: Path, into: type[_L]) -> _L:
        """A file of shared numbers (kidney.toml, dosing.toml, case.toml)."""
        content = read_toml(path)
        _known(path, "", content, {"title", "steps", "parameters"})
        return self.limits(path, self.parameters(path, content["parameters"]), into)

    def load_question(self, folder: Path, rules: Sequence[Rule | GapRule], limits: type[Any]) -> Question:
        path = folder / "card.toml"
        content = read_toml(path)
        top = {"question", "clinical_consequence", "mechanism", "reviewed_on", "reviewed_by", "not_covered"}
        _known(path, "", content, top | {"parameters", "placeholders", "cards", "when_unknown"})
        parameters = self.parameters(path, content.get("parameters", {}))
        filled = self.limits(path, parameters, limits)
        placeholders = {**self.standard_placeholders, **content.get("placeholders", {})}
        cards = {
            name: self._card(path, name, entry, placeholders, parameters) for name, entry in content["cards"].items()
        }
        if cards.keys() != {rule.id for rule in rules}:
            raise ContentError(
                path,
                "cards",
                f"cards {sorted(cards)} are not the rules {sorted(r.id for r in rules)}",
                "one card per rule",
            )
        when_unknown = content.get("when_unknown", {})
        read = {item.name for rule in rules for item in rule.reads}
        if when_unknown.keys() != read:
            raise ContentError(
                path,
                "when_unknown",
                f"has {sorted(when_unknown)}, the rules read {sorted(read)}",
                "one table per input read",
            )
        for name, entry in when_unknown.items():
            _known(path, f"when_unknown.{name}", entry, {"not_recorded", "not_available"})
            _text(path, f"when_unknown.{name}", entry, "not_recorded")
            _text(path, f"when_unknown.{name}", entry, "not_available")
        return Question(
            name=folder.name,
            **{key: _text(path, "", content, key) for key in ("question", "clinical_consequence", "mechanism")},
            reviewed_on=str(content.get("reviewed_on", "")),
            reviewed_by=str(content.get("reviewed_by", "")),
            not_covered=tuple(content.get("not_covered", ())),
            parameters=parameters,
            cards=cards,
            placeholders=placeholders,
            when_unknown=when_unknown,
            rules=tuple(rules),
            limits=filled,
        )

    def _card(
        self,
        path: Path,
        name: str,
        entry: Mapping[str, Any],
        placeholders: Mapping[str, str],
        parameters: Sequence[Parameter],
    ) -> CardText:
        table = f"cards.{name}"
        known = {"title", "indicators", "family", "overrides", "sources", "logic", "summary", "detail"}
        _known(path, table, entry, known)
        for kind in ("summary", "detail"):
            for variant, text in entry.get(kind, {}).items():
                where = f"{table}.{kind}.{variant}"
                if unknown := named_in(text) - placeholders.keys():
                    raise ContentError(
                        path, where, f"placeholders {sorted(unknown)} have no value", "declare them in [placeholders]"
                    )
                if kind == "summary":
                    longest = len(fill(text, placeholders))
                    if longest > LONGEST_SUMMARY and f"{variant}_short" not in entry["summary"]:
                        raise ContentError(
                            path, where, f"can reach {longest} characters", f"shorten it, or add {variant}_short"
                        )
        if not entry.get("summary") or not entry.get("detail"):
            raise ContentError(path, table, "no summary or no detail", "write both")
        overrides = _one_of(path, table, entry, "overrides", tuple(self.override_groups))
        indicators = frozenset(Indicator[i.upper()] for i in entry["indicators"])
        sources = self.check_sources(path, table, entry.get("sources"), shown=True)
        return CardText(
            name, _text(path, table, entry, "title"), indicators, _text(path, table, entry, "family"), overrides,
            sources, entry["summary"], entry["detail"], self._logic(path, table, entry, parameters, indicators),
        )  # fmt: skip

    def _logic(
        self,
        path: Path,
        table: str,
        entry: Mapping[str, Any],
        parameters: Sequence[Parameter],
        indicators: frozenset[Indicator],
    ) -> Logic:
        own = {parameter.name: parameter.value for parameter in parameters}
        with _placed(path, f"{table}.logic"):
            return logic(entry.get("logic", {}), {**self._shared_numbers, **own}, indicators)


def named_in(template: str) -> set[str]:
    """Names in curly brackets."""
    return {found[1] for found in _PLACEHOLDER.finditer(template)}


def fill(template: str, values: Mapping[str, Any], prepare: Callable[[Any], Any] = lambda value: value) -> str:
    """``"{dose} and {dose:n}"`` with the values written by their own ``__format__``; a text keeps itself.

    ``prepare`` is what is done to each value before it is written, such as escaping it."""

    written = []
    for text, name, spec in _parts(template):
        written.append(text)
        if name:
            value = prepare(values[name])
            written.append(value if isinstance(value, str) else format(value, spec))
    return "".join(written)


@cache
def _parts(template: str) -> tuple[tuple[str, str, str], ...]:
    """Each text with the name and the format of the placeholder that follows it; none follows the last."""
    pieces = _PLACEHOLDER.split(template)
    return tuple(zip(pieces[::3], [*pieces[1::3], ""], [*(spec or "" for spec in pieces[2::3]), ""], strict=True))


def content_version(folder: Path = HERE) -> str:
    """Twelve hex digits over every file of ``cards/``: a changed threshold, word or rule is another version."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".toml", ".csv"):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def read_toml(path: Path) -> dict[str, Any]:
    """One content file. Raises ``ContentError``."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ContentError(path, "", f"cannot be read: {error}", "restore or correct the file") from error


@contextmanager
def _placed(path: Path, table: str) -> Iterator[None]:
    """What is wrong in a sentence, with file and table."""
    try:
        yield
    except LogicError as error:
        raise ContentError(path, table, error.wrong, error.cure) from None


def _known(path: Path, table: str, entry: Mapping[str, Any], allowed: Iterable[str]) -> None:
    if unknown := set(entry) - set(allowed):
        raise ContentError(path, table, f"unknown keys {sorted(unknown)}", f"use only {sorted(allowed)}")


def _text(path: Path, table: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ContentError(path, table, f"{key} is missing or empty", f"write {key} as a text")
    return value.strip()


def _one_of(path: Path, table: str, entry: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
    value = _text(path, table, entry, key)
    if value not in allowed:
        raise ContentError(path, table, f"{key} is {value!r}", f"use one of {list(allowed)}")
    return value
