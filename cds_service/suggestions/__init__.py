"""Proposals of the clinic as CDS Hooks suggestions (checklist 2.9, rules.md 5.12).

An update is the client's own draft with dosage and supply replaced and nothing else touched: members that we do not
know, their order and decimals stay as sent. Nothing but drafts of this session is updated or deleted, save the one
order on the chart that ``StopExisting`` names. What cannot be put into an action safely is not offered, with the
reason; the advice then stands in the words of the card.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from cards.case import Case
from cards.logic import Offer, offer_of
from cards.outcome import ChangeDose, OrderTest, Proposal, Regimen, StopExisting, Taper, Test, WithdrawOrder
from cards.quantities import Days, SingleDose
from cards.values import frozen
from cds_service.suggestions import created
from cds_service.suggestions.dosage import Json, OrderedProduct, for_regimen
from cds_service.suggestions.session import CannotActError, InvalidError, Session
from cds_service.suggestions.writer import Writer, checked

__all__ = ["NotOffered", "OrderedProduct", "Session", "Suggestions", "suggestions_for", "warm"]


@frozen
class NotOffered:
    proposal: Proposal
    reason: str
    """For explain and the log: holds nothing of the request."""
    invalid: bool = False
    """What we wrote is not valid FHIR: a fault of this service, to be logged as an error."""


@frozen
class Suggestions:
    offered: tuple[Json, ...]
    kinds: tuple[Offer, ...]
    """What each of them offers."""
    not_offered: tuple[NotOffered, ...]


def suggestions_for(
    proposals: Sequence[Proposal], case: Case, session: Session, limit: Days | None = None
) -> Suggestions:
    """One suggestion per proposal of one card; none where the client's EHR cannot apply it.

    ``limit``: some card of this response limits the supply. A new dose then carries the limit too, because the later of
    two updates of one draft replaces the earlier (resolutions.md 12a).
    """
    writer = Writer(case, session, limit)
    offered: list[tuple[Proposal, Json]] = []
    not_offered: list[NotOffered] = []
    for proposal in proposals:
        try:
            offers = writer.offers(proposal)
        except (CannotActError, InvalidError) as why:
            not_offered.append(NotOffered(proposal, str(why), isinstance(why, InvalidError)))
        else:
            for label, actions in offers:
                offered.append((proposal, {"label": label, "uuid": str(uuid4()), "actions": actions}))
    preferred = _preferred(proposals)
    for proposal, suggestion in offered:
        if proposal is preferred:
            suggestion["isRecommended"] = True
    kinds = tuple(offer_of(proposal) for proposal, _ in offered)
    return Suggestions(tuple(suggestion for _, suggestion in offered), kinds, tuple(not_offered))


def warm() -> None:
    """Check the commonest writings once, so that the first order after a start is not the slowest."""
    for test in Test:
        for urgent in (False, True):
            checked("ServiceRequest", created.laboratory_test(OrderTest(test, urgent)))
    for naloxone in (created.naloxone(), created.with_rxnorm_as_oid(created.naloxone())):
        checked("MedicationRequest", naloxone)
    for single, times in (("2.5", 1), ("2.5", 2), ("2.5", 3), ("5", 2), ("5", 3), ("5", 4), ("10", 3)):
        regimen = Regimen((SingleDose.of(single),) * times)
        checked("MedicationRequest", {"dosageInstruction": for_regimen(regimen, None, " by mouth")})


def _preferred(proposals: Sequence[Proposal]) -> Proposal | None:
    """The first dose proposal, where every other one is said to be second choice. It may not be among those offered:
    then none is recommended, least of all what came after it."""
    doses = [one for one in proposals if isinstance(one, ChangeDose | Taper | WithdrawOrder | StopExisting)]
    first_choice = [one for one in doses if not _second_choice(one)]
    return doses[0] if doses and first_choice == doses[:1] else None


def _second_choice(proposal: Proposal) -> bool:
    return isinstance(proposal, ChangeDose) and "unavoidable" in proposal.note
