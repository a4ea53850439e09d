"""What a rule can say about a case: a finding, "not indicated", or "cannot assess". Never a bare None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum, IntEnum

from cards.facts import Missing
from cards.quantities import NO_DOSE, DailyDose, Days, SingleDose
from cards.values import frozen


class Indicator(IntEnum):
    """CDS Hooks card indicator, ordered by urgency."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    def __str__(self) -> str:
        return self._name_.lower()

    def lowered(self) -> Indicator:
        """One level milder; info stays info."""
        return Indicator(max(self - 1, Indicator.INFO))


# ------------------------------------------------------------------------------------------------------ proposals


@frozen
class Regimen:
    """A daily dose as the single doses of a day, morning to night: (10, 5, 10) mg is 25 mg/day."""

    doses: tuple[SingleDose, ...]

    @property
    def daily(self) -> DailyDose:
        return DailyDose(sum((dose.value for dose in self.doses), start=NO_DOSE.value))

    def __str__(self) -> str:
        """ "2.5 mg TID (7.5 mg/day)", "10/5/10 mg (25 mg/day)"."""
        if not self.doses:
            return "0 mg"
        if len(set(self.doses)) == 1:
            often = {1: "once daily", 2: "BID", 3: "TID", 4: "QID"}[len(self.doses)]
            return f"{self.doses[0]} {often} ({self.daily})"
        return f"{'/'.join(format(dose, 'n') for dose in self.doses)} mg ({self.daily})"


@frozen
class TaperStep:
    regimen: Regimen
    lasts: Days


@frozen
class ChangeDose:
    """Order this regimen instead."""

    regimen: Regimen
    note: str = ""
    """Short clause for the label: "no increase", "if unavoidable", "after dialysis"."""


@frozen
class Taper:
    """Go down step by step instead of stopping or continuing at once."""

    steps: tuple[TaperStep, ...]
    stays_at_last: bool
    """True: the last step goes on without an end (K3); False: baclofen ends after it."""


@frozen
class WithdrawOrder:
    """Remove the draft."""


@frozen
class StopExisting:
    """Stop the chart's order ``reference`` and mark the draft as its replacement."""

    reference: str


class Test(Enum):
    CREATININE = "creatinine and eGFR"
    CYSTATIN_C = "cystatin C"


@frozen
class OrderTest:
    test: Test
    urgent: bool = False


@frozen
class CoPrescribeNaloxone:
    """Naloxone 4 mg nasal spray, two devices."""


@frozen
class LimitSupply:
    supply: Days


DoseProposal = ChangeDose | Taper | WithdrawOrder | StopExisting
Proposal = DoseProposal | OrderTest | CoPrescribeNaloxone | LimitSupply


# ------------------------------------------------------------------------------------------------------- outcomes


@frozen
class Finding:
    """Something that the prescriber should know, with the numbers that fill the card's words."""

    rule: str
    indicator: Indicator
    summary: str
    """Name of the summary text in card.toml: "initiation"."""
    detail: tuple[str, ...]
    """Names of the detail paragraphs in card.toml or sentences.toml, in order."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Placeholder → amount or text, beside the standard ones of the case."""
    proposals: tuple[Proposal, ...] = ()
    unchecked: tuple[Missing, ...] = ()
    """Inputs that could have made this finding more urgent and could not be read."""


@frozen
class NotIndicated:
    """Silence, and why. Most rules are silent most of the time, so the words are put together only for who asks."""

    rule: str
    words: str
    """ "{} is not above {}"."""
    values: tuple[object, ...] = ()

    @property
    def because(self) -> str:
        """With the numbers: "22.5 mg/day is not above 40 mg/day"."""
        return self.words.format(*self.values)


@frozen
class CannotAssess:
    rule: str
    missing: tuple[Missing, ...]


Outcome = Finding | NotIndicated | CannotAssess


def quiet(rule: str, unread: tuple[Missing, ...], because: str, *values: object) -> NotIndicated | CannotAssess:
    """Silence only where everything that decides could be read."""
    return CannotAssess(rule, unread) if unread else NotIndicated(rule, because, values)
