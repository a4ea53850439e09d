"""From findings to the few cards that are shown: merging, order, limits, one dose set (rules.md section 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from cards.case import Case
from cards.facts import Hook
from cards.kidney import KidneyFunction, Tier
from cards.outcome import (
    ChangeDose,
    Finding,
    Indicator,
    Proposal,
    StopExisting,
    Taper,
    WithdrawOrder,
)  # fmt: skip
from cards.values import frozen

SUMMARY_CARD = "additional-considerations"
DATA_CARDS = frozenset({"order-dose-unparseable", "data-unavailable"})
SHOWN_AT_ONCE = 3
"""M4: cards beside criticals until three are shown, then one summary card."""

ORDER = (
    "baclofen-hypersensitivity", "abrupt-discontinuation", "large-dose-reduction",
    "renal-aki", "renal-dialysis", "renal-avoid-severe", "renal-dose-exceeds-limit", "renal-function-unknown",
    "opioid-coprescription", "intrathecal-baclofen",
    "dose-above-labelled-max", "titration-too-fast", "start-dose-too-high", "dosing-interval", "tolerance-escalation",
    "duplicate-baclofen", "pregnancy", "breast-feeding", "paediatric", "cns-depressant-load",
    "self-harm-risk", "psychiatric-history", "seizure-disorder", "neurologic-comorbidity",
    "alcohol-interaction", "aud-off-label", "older-adult-caution", "respiratory-disease",
    "other-interactions-and-cautions", "renal-egfr-unreliable", "renal-recheck",
    "order-dose-unparseable", "data-unavailable",
)  # fmt: skip
"""M3: within one indicator, the more urgent question first."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "renal": (
        "renal-aki", "renal-dialysis", "renal-avoid-severe", "renal-dose-exceeds-limit", "renal-function-unknown",
        "renal-egfr-unreliable", "renal-recheck",
    ),
    "dose": (
        "start-dose-too-high", "dose-above-labelled-max", "titration-too-fast", "dosing-interval",
        "tolerance-escalation",
    ),
    "withdrawal": ("abrupt-discontinuation", "large-dose-reduction"),
    "sedation": ("opioid-coprescription", "cns-depressant-load", "respiratory-disease"),
    "alcohol": ("aud-off-label", "alcohol-interaction"),
    "psychiatric": ("self-harm-risk", "psychiatric-history"),
    "neurological": ("seizure-disorder", "neurologic-comorbidity"),
    "reproductive": ("pregnancy", "breast-feeding"),
}  # fmt: skip
"""M1: one card per family, led by the higher indicator, then in this order; any other rule is a family of its own. In
acute injury the eGFR is not steady, so its card leads (rules.md 9); a start above the maximum is first of all too high
a start (rules.md 5.2)."""

DOSE_OWNERS = (
    "baclofen-hypersensitivity", *FAMILIES["withdrawal"], *FAMILIES["renal"], *FAMILIES["dose"], "duplicate-baclofen",
    "intrathecal-baclofen", "opioid-coprescription", "cns-depressant-load",
)  # fmt: skip
"""M5: the first of these that proposes a dose keeps its proposals; the others speak of the dose in words only."""


@frozen
class ShownCard:
    """One card to show, before its words are written."""

    case: Case
    finding: Finding
    indicator: Indicator
    merged: tuple[Finding, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    remarks: tuple[str, ...] = ()
    """Names of shared sentences that this card carries for the whole response."""
    remark_values: Mapping[str, object] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        return self.finding.rule


@frozen
class Dropped:
    rule: str
    why: str


@frozen
class Triaged:
    cards: tuple[ShownCard, ...]
    dropped: tuple[Dropped, ...]
    """Merged and unshown findings with the reason, for explain and audit."""


def triage(findings: Sequence[tuple[Case, Finding]], hook: Hook) -> Triaged:
    if not findings:
        return Triaged((), ())
    dropped: list[Dropped] = []
    cards = [_alone(case, finding) for case, finding in _once_per_rule(findings)]
    if len(cards) > 1:
        cards = _absorb(_one_per_family(cards, dropped), dropped)
    if hook is Hook.ORDER_SELECT:
        dropped += [Dropped(c.rule, "info waits for order-sign") for c in cards if c.indicator is Indicator.INFO]
        cards = [card for card in cards if card.indicator > Indicator.INFO]
    cards = _one_dose_set(sorted(cards, key=_urgency))
    return Triaged(tuple(_limited(cards, dropped)), tuple(dropped))


def _alone(case: Case, finding: Finding) -> ShownCard:
    return ShownCard(case, finding, finding.indicator, proposals=finding.proposals)


def _once_per_rule(findings: Sequence[tuple[Case, Finding]]) -> list[tuple[Case, Finding]]:
    """An oral and an intrathecal case may find the same thing: the more urgent finding stays."""
    best: dict[str, tuple[Case, Finding]] = {}
    for case, finding in findings:
        if finding.rule not in best or finding.indicator > best[finding.rule][1].indicator:
            best[finding.rule] = (case, finding)
    return list(best.values())


def _one_per_family(cards: Sequence[ShownCard], dropped: list[Dropped]) -> list[ShownCard]:
    left = list(cards)
    for members in FAMILIES.values():
        family = sorted((c for c in left if c.rule in members), key=lambda c: (-c.indicator, members.index(c.rule)))
        for other in family[1:]:
            family[0] = _merge(left, family[0], other, dropped)
    return left


def _absorb(cards: list[ShownCard], dropped: list[Dropped]) -> list[ShownCard]:
    """M2, across families. Each line: who absorbs, what is absorbed."""
    left = list(cards)

    def absorb(by: ShownCard | None, *families: str, infos_only: bool = False) -> None:
        for other in list(left):
            wanted = other.rule in families or any(other.rule in FAMILIES.get(name, ()) for name in families)
            if by is not None and by in left and wanted and other is not by:
                if infos_only and other.indicator > Indicator.INFO:
                    continue
                by = _merge(left, by, other, dropped)

    absorb(_first(left, "large-dose-reduction"), "renal")
    renal = _first(left, *FAMILIES["renal"])
    if renal and _reduced(renal):
        absorb(renal, "dose")
    elif renal and renal.rule in ("renal-dose-exceeds-limit", "renal-egfr-unreliable"):
        absorb(_first(left, *FAMILIES["dose"]), renal.rule)
    absorb(_first(left, *FAMILIES["renal"]), "older-adult-caution")
    absorb(_first(left, "opioid-coprescription"), "older-adult-caution", infos_only=True)
    absorb(_first(left, "cns-depressant-load"), "older-adult-caution", infos_only=True)
    return left


def _reduced(renal: ShownCard) -> bool:
    """K3 and worse, dialysis and acute injury absorb the dose family; K2 and unknown do not."""
    kidney = renal.case.kidney
    if renal.rule in ("renal-function-unknown", "renal-egfr-unreliable", "renal-recheck"):
        return False
    return isinstance(kidney, KidneyFunction) and (kidney.tier is not Tier.K2 or kidney.acute is not None)


def _first(cards: Sequence[ShownCard], *rules: str) -> ShownCard | None:
    return next((card for card in cards if card.rule in rules), None)


def _merge(left: list[ShownCard], leader: ShownCard, other: ShownCard, dropped: list[Dropped]) -> ShownCard:
    """The leader takes the higher indicator and the suggestions that are not doses (resolutions.md 12)."""
    survives = [proposal for proposal in other.proposals if not _changes_dose(proposal)]
    if other.rule == "older-adult-caution" and not _names_dose(leader) and not _acute(leader):
        survives = list(other.proposals)
    merged = replace(
        leader,
        indicator=max(leader.indicator, other.indicator),
        merged=(*leader.merged, other.finding, *other.merged),
        proposals=(*leader.proposals, *(p for p in survives if p not in leader.proposals)),
    )
    left[left.index(leader)] = merged
    left.remove(other)
    dropped.append(Dropped(other.rule, f"merged into {leader.rule}"))
    return merged


def _names_dose(card: ShownCard) -> bool:
    return any(isinstance(proposal, ChangeDose | Taper) for proposal in card.proposals)


def _acute(card: ShownCard) -> bool:
    return isinstance(card.case.kidney, KidneyFunction) and card.case.kidney.acute is not None


def _changes_dose(proposal: Proposal) -> bool:
    return isinstance(proposal, ChangeDose | Taper | WithdrawOrder | StopExisting)


def _urgency(card: ShownCard) -> tuple[int, int]:
    return -card.indicator, ORDER.index(card.rule)


def _one_dose_set(cards: Sequence[ShownCard]) -> list[ShownCard]:
    """M5: one card owns the dose; any other suggestion is shown once, on the highest card."""

    def rank(card: ShownCard) -> int:
        return DOSE_OWNERS.index(card.rule) if card.rule in DOSE_OWNERS else len(DOSE_OWNERS)

    owners = [card for card in cards if any(_changes_dose(p) for p in card.proposals)]
    owner = min(owners, key=rank, default=None)
    seen: list[Proposal] = []
    kept = []
    for card in cards:
        proposals = [p for p in card.proposals if (card is owner or not _changes_dose(p)) and p not in seen]
        seen += proposals
        kept.append(replace(card, proposals=tuple(proposals)))
    return kept


def _limited(cards: Sequence[ShownCard], dropped: list[Dropped]) -> list[ShownCard]:
    """M4: every critical; warnings, then infos that can be acted on, up to three; the rest in one summary card."""
    shown = [card for card in cards if card.indicator is Indicator.CRITICAL]
    for card in cards:
        acted_on = card.indicator is Indicator.WARNING or card.proposals or card.rule in DATA_CARDS
        if card not in shown and acted_on and len(shown) < SHOWN_AT_ONCE:
            shown.append(card)
    rest = [card for card in cards if card not in shown]
    if len(rest) == 1 and len(shown) < SHOWN_AT_ONCE:
        return sorted([*shown, *rest], key=_urgency)
    if not rest:
        return shown
    dropped += [Dropped(card.rule, f"in {SUMMARY_CARD}") for card in rest]
    contained = tuple(finding for card in rest for finding in (card.finding, *card.merged))
    highest = max(card.indicator for card in rest)
    summary = Finding(SUMMARY_CARD, highest, "default", ("intro",))
    others = tuple(p for card in rest for p in card.proposals)
    return [*shown, ShownCard(rest[0].case, summary, highest, merged=contained, proposals=others)]
