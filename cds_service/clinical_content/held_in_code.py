"""Clinical numbers that stand in the program, because they say how a record is read before any rule is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cds_service.gather.chart import AUTHORED_RECENTLY, ENDED_RECENTLY, SUPPLY_ENDED_RECENTLY
from cds_service.gather.medications import RESCUE_ON_FILE


@dataclass(frozen=True, slots=True)
class Held:
    what: str
    value: str
    why: str


def _days(span: timedelta) -> str:
    return f"≤ {span.days} days"


HELD = (
    Held("a medicine that ended still counts as taken", _days(ENDED_RECENTLY), "policy (rules.md IN-OPI, IN-CNS)"),
    Held(
        "a medicine whose supply is not known counts as taken after it was written",
        _days(AUTHORED_RECENTLY),
        "policy (rules.md IN-OPI, IN-CNS)",
    ),
    Held(
        "baclofen whose supply ran out is still the current dose",
        _days(SUPPLY_ENDED_RECENTLY),
        "policy (rules.md IN-BAC)",
    ),
    Held("a naloxone or nalmefene product is on file", _days(RESCUE_ON_FILE), "policy (rules.md IN-NAL)"),
)
