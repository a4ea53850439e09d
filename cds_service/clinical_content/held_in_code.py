"""Clinical numbers that stand in the program, because they say how a record is read before any rule is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cards.intention import MOST_RUNNING
from cds_service.gather.chart import AUTHORED_RECENTLY, ENDED_RECENTLY, SUPPLY_ENDED_RECENTLY
from cds_service.gather.dosage import LARGEST_DAILY, LARGEST_SINGLE, MOST_LINES, SURELY_ORAL
from cds_service.gather.drinking_tests import AUDIT_C_IN_MEN, AUDIT_C_IN_OTHERS, ETHANOL_MG_PER_DL, PETH_NG_PER_ML
from cds_service.gather.medications import RESCUE_ON_FILE


@dataclass(frozen=True, slots=True)
class Held:
    what: str
    value: str
    source: str


def _days(span: timedelta) -> str:
    return f"≤ {span.days} days"


HELD = (
    Held("a medicine that ended still counts as taken", _days(ENDED_RECENTLY), "policy (rules.md IN-OPI, IN-CNS)"),
    Held(
        "a medicine whose supply is not known counts as taken for so long after it was written",
        _days(AUTHORED_RECENTLY),
        "policy (rules.md IN-OPI, IN-CNS)",
    ),
    Held(
        "baclofen whose supply ran out so recently is still the current dose",
        _days(SUPPLY_ENDED_RECENTLY),
        "policy (rules.md IN-BAC)",
    ),
    Held("a naloxone or nalmefene product counts as on file", _days(RESCUE_ON_FILE), "policy (rules.md IN-NAL)"),
    Held("without a route a baclofen dose is oral", f"≥ {SURELY_ORAL} mg/day", "policy (rules.md 3.5)"),
    Held("a single dose of baclofen is not believed", f"> {LARGEST_SINGLE} mg", "policy (resolutions.md 9)"),
    Held("a daily dose of baclofen is not believed", f"> {LARGEST_DAILY} mg/day", "policy (resolutions.md 9)"),
    Held("baclofen orders that run at once are not added up", f"> {MOST_RUNNING} orders", "policy"),
    Held("dosage instructions of one order are not read", f"> {MOST_LINES} instructions", "policy"),
    Held(
        "AUDIT-C is positive",
        f"≥ {AUDIT_C_IN_MEN} in men, ≥ {AUDIT_C_IN_OTHERS} in women and where sex is not known",
        "E-ALC-02",
    ),
    Held("PEth is positive", f"≥ {PETH_NG_PER_ML} ng/mL", "policy"),
    Held("alcohol in blood or breath is positive", f"≥ {ETHANOL_MG_PER_DL} mg/dL", "policy"),
)
