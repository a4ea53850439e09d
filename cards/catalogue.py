"""The clinic as one object: load it once, then ``assess`` facts. Pure after loading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cards.case import Case, CurrentBaclofen, Indication, Kind
from cards.content import HERE, Library, Question, content_version
from cards.dosing import Dosing
from cards.facts import Input, Missing, OralDose, PatientFacts, Recognised, Route, Unreadable, Why
from cards.intention import CaseLimits, read_cases
from cards.kidney import KidneyFunction, KidneyLimits, resolve
from cards.outcome import CannotAssess, Finding, Outcome
from cards.quantities import NO_DOSE
from cards.questions import QUESTIONS
from cards.rule import GapRule, Rule
from cards.triage import DATA_CARDS, ShownCard, Triaged, triage
from cards.unreadable_data.rule import medicines_not_identified, unrecognised
from cards.values import frozen
from cards.wording import Words


@frozen
class Assessment:
    """What the clinic makes of one signing: every outcome, and the cards that are shown."""

    kidney: KidneyFunction | Missing
    cases: tuple[Case, ...]
    outcomes: tuple[tuple[Case, Outcome], ...]
    triaged: Triaged
    broken: tuple[tuple[str, Exception], ...]
    """Rules that raised: each became CannotAssess; the shell logs them as errors."""
    silent: tuple[ShownCard, ...] = ()
    """Cards that would have been shown if no rule were silent, and are not."""
    silenced: frozenset[str] = frozenset()
    """Rules that found something and are silent for this site."""


DATA_UNAVAILABLE = "data-unavailable"
SILENT = "silent rules"
"""Stands for a rule in ``Assessment.broken`` when the cards that are not shown could not be told."""


class Catalogue:
    """All questions with their content."""

    def __init__(
        self,
        library: Library,
        questions: Sequence[Question],
        off: frozenset[str] = frozenset(),
        silent: frozenset[str] = frozenset(),
    ) -> None:
        self.library = library
        self.questions = tuple(questions)
        self.content_version = content_version()
        self.kidney = library.load_parameters(HERE / "kidney.toml", KidneyLimits)
        self.dosing = library.load_parameters(HERE / "dosing.toml", Dosing)
        self.reading = library.load_parameters(HERE / "case.toml", CaseLimits)
        rules = [(rule, question.limits) for question in self.questions for rule in question.rules]
        self._rules = [(rule, limits) for rule, limits in rules if isinstance(rule, Rule) and rule.id not in off]
        self._gap_rules = [rule for rule, _ in rules if isinstance(rule, GapRule)]
        self._silent = silent
        self.texts = {rule: text for question in self.questions for rule, text in question.cards.items()}
        self.words = Words(self.texts, library.sentences, library.evidence, self.content_version)

    @classmethod
    def load(cls) -> Catalogue:
        """Read and check every content file; raises ContentError with file, table and cure."""
        library = Library()
        return cls(library, [library.load_question(HERE / name, m.RULES, m.Limits) for name, m in QUESTIONS.items()])

    def for_site(self, off: frozenset[str], silent: frozenset[str]) -> Catalogue:
        """The same clinic where rules are ``off``, not asked, or ``silent``: assessed, and nothing of them shown."""
        return Catalogue(self.library, self.questions, off, silent) if off or silent else self

    @property
    def reads(self) -> frozenset[Input]:
        """Every input that some rule reads: prefetch templates are derived from it."""
        return frozenset(item for question in self.questions for rule in question.rules for item in rule.reads)

    def assess(self, facts: PatientFacts) -> Assessment:
        """Facts in, findings and shown cards out. The same facts always give the same assessment."""
        kidney = resolve(facts, self.kidney)
        cases = () if facts.deceased else read_cases(facts, kidney, self.reading, self.dosing)
        outcomes: list[tuple[Case, Outcome]] = []
        broken: list[tuple[str, Exception]] = []
        for case in cases:
            outcomes += [(case, _ask(rule, case, limits, broken)) for rule, limits in self._rules]
        subject = cases[0] if cases else _without_orders(facts, kidney, self.dosing)
        if not self._silent:
            outcomes += self._gaps(subject, outcomes)
            shown = _with_remarks(_triaged(outcomes, facts), facts)
            return Assessment(kidney, cases, tuple(outcomes), shown, tuple(broken))
        heard = [one for one in outcomes if one[1].rule not in self._silent]
        gaps = self._gaps(subject, heard)
        heard += [one for one in gaps if one[1].rule not in self._silent]
        shown = _with_remarks(_triaged(heard, facts, self._silent), facts)
        silenced = frozenset(one.rule for _, one in [*outcomes, *gaps] if isinstance(one, Finding)) & self._silent
        unshown = self._unshown(subject, outcomes, shown, facts, broken)
        return Assessment(kidney, cases, (*outcomes, *gaps), shown, tuple(broken), unshown, silenced)

    def _gaps(self, subject: Case | None, outcomes: Sequence[tuple[Case, Outcome]]) -> list[tuple[Case, Outcome]]:
        """What the rules could not read, in the words of the data cards."""
        if subject is None:
            return []
        heard = [outcome for _, outcome in outcomes]
        return [(subject, rule.assess(subject, heard)) for rule in self._gap_rules]

    def _unshown(
        self,
        subject: Case | None,
        outcomes: Sequence[tuple[Case, Outcome]],
        shown: Triaged,
        facts: PatientFacts,
        broken: list[tuple[str, Exception]],
    ) -> tuple[ShownCard, ...]:
        """What silence holds back. Whatever goes wrong here must not touch what is shown."""
        try:
            aloud = _triaged([*outcomes, *self._gaps(subject, outcomes)], facts)
        except Exception as error:  # noqa: BLE001 as in _ask
            broken.append((SILENT, error))
            return ()
        rules = {card.rule for card in shown.cards}
        return tuple(card for card in aloud.cards if card.rule not in rules)


def _ask(rule: Rule, case: Case, limits: object, broken: list[tuple[str, Exception]]) -> Outcome:
    """A rule that raises must not silence the others, nor itself: it becomes "could not be checked"."""
    try:
        return rule.assess(case, limits)
    except Exception as error:  # noqa: BLE001 whatever it is, it is said, and logged by the shell
        broken.append((rule.id, error))
        return CannotAssess(
            rule.id, (Missing(Input.ORDER, Why.UNREADABLE, f"the check {rule.id} failed in this service"),)
        )


def _triaged(
    outcomes: Sequence[tuple[Case, Outcome]], facts: PatientFacts, silent: frozenset[str] = frozenset()
) -> Triaged:
    findings = [(case, outcome) for case, outcome in outcomes if isinstance(outcome, Finding)]
    found = triage(findings, facts.hook)
    named = unrecognised(outcomes[0][0]) if outcomes and outcomes[0][0].orders else ()
    if not named:
        return found
    values = {"unrecognised_count": str(len(named)), "unrecognised": named}
    if carriers := [card for card in found.cards if card.rule not in DATA_CARDS]:
        return _remark(found, carriers[0], "S-UNRECOGNISED", values)
    if DATA_UNAVAILABLE in silent:
        return found
    if data := next((card for card in found.cards if card.rule == DATA_UNAVAILABLE), None):
        return _remark(found, data, "S-UNRECOGNISED", values)
    return triage([*findings, (outcomes[0][0], medicines_not_identified(named))], facts.hook)


def _with_remarks(found: Triaged, facts: PatientFacts) -> Triaged:
    """Sentences that the first card carries for the whole response."""
    if not found.cards:
        return found
    case = found.cards[0].case
    if case.kind is Kind.INITIATION and found.cards[0].rule not in DATA_CARDS:
        found = _remark(found, found.cards[0], "S-DRIVE", {})
    read_from_text = any(order.recognised is Recognised.BY_TEXT for order in facts.orders)
    if read_from_text or (isinstance(case.dose, OralDose) and case.dose.from_text):
        found = _remark(found, found.cards[0], "S-TEXT", {})
    if len([order for order in case.orders if not order.stops]) > 1:
        found = _remark(found, found.cards[0], "S-SEVERAL-ORDERS", {})
    return found


def _remark(found: Triaged, card: ShownCard, sentence: str, values: Mapping[str, object]) -> Triaged:
    remarked = replace(card, remarks=(*card.remarks, sentence), remark_values={**card.remark_values, **values})
    return replace(found, cards=tuple(remarked if shown.rule == card.rule else shown for shown in found.cards))


def _without_orders(facts: PatientFacts, kidney: KidneyFunction | Missing, dosing: Dosing) -> Case | None:
    """When every baclofen order names another patient, or no order could be read, there is no case; the card that says
    so still needs one."""
    if not (facts.orders_for_other_patients or facts.orders_unread) or facts.deceased:
        return None
    return Case(
        facts=facts, orders=(), route=Route.ORAL, kind=Kind.UNKNOWN, dose=Unreadable("the order names another patient"),
        current=CurrentBaclofen(NO_DOSE, (), (), None, None, 0), stable=False, indication=Indication.SPASTICITY,
        kidney=kidney, dosing=dosing,
    )  # fmt: skip
