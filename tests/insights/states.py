"""What the page has to cope with: nothing, a week, a month and a year of a hospital. Made up, the same each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from random import Random

from cds_service.insights.figures import Figures
from cds_service.insights.publish import figures
from cds_service.insights.selection import Selection, week_of
from cds_service.insights.tally import (
    ALONE,
    BESIDE,
    NO_REASON,
    OTHER_LIST,
    Advice,
    Became,
    CardKey,
    Elsewhere,
    Fate,
    FindingKey,
    Gap,
    Tally,
    Version,
)

TODAY = date(2026, 11, 24)
SEVEN_DAYS = timedelta(days=7)
RULES = {
    ("renal-dose-exceeds-limit", "critical"): 0.02,
    ("renal-dose-exceeds-limit", "warning"): 0.04,
    ("renal-dialysis", "critical"): 0.004,
    ("opioid-coprescription", "warning"): 0.03,
    ("start-dose-too-high", "warning"): 0.05,
    ("titration-too-fast", "warning"): 0.02,
    ("abrupt-discontinuation", "critical"): 0.008,
    ("cns-depressant-load", "warning"): 0.03,
    ("psychiatric-history", "info"): 0.02,
    ("pregnancy", "warning"): 0.001,
    ("data-unavailable", "info"): 0.03,
    ("renal-recheck", "info"): 0.02,
}
"""How often each fires on a signing. ``cns-depressant-load`` is nearly always overridden as not relevant."""
SILENT = ("older-adult-caution", "info")
GAPS = {
    Gap("kidney_results", "not recorded"): 0.08,
    Gap("kidney_results", "not available"): 0.02,
    Gap("medications", "incomplete"): 0.05,
    Gap("observations", "not available"): 0.12,
    Gap("age", "unreadable"): 0.002,
}
REASONS = ("benefit-outweighs-risk", "will-monitor", "data-incorrect", "not-clinically-relevant", NO_REASON, OTHER_LIST)
KINDS = ("change-dose", "change-dose", "order-creatinine", "taper", "change-dose + order-creatinine")


@cache
def states() -> Mapping[str, Figures]:
    periods = {"empty": (84, 0), "week": (7, 6), "month": (31, 12), "year": (366, 40)}
    return {name: figures(*hospital(days, a_day), 5) for name, (days, a_day) in periods.items()}


def hospital(days: int, a_day: int) -> tuple[Tally, Selection]:
    chance = Random(days)  # noqa: S311  # made up
    since = TODAY - timedelta(days=days - 1)
    selection = Selection(since, TODAY, TODAY, SEVEN_DAYS)
    signings, cards, gaps, whole = Counter[tuple[date, Advice]](), Counter[CardKey](), Counter[Gap](), Counter[int]()
    for ago in range(days if a_day else 0):
        day = since + timedelta(days=ago)
        for _ in range(chance.randint(0, 2 * a_day) if day.weekday() < 5 else a_day // 4):
            shown = [rule for rule, often in RULES.items() if chance.random() < often]
            silent = chance.random() < 0.05
            signings[week_of(day), _advice(bool(shown), silent)] += 1
            cards.update(CardKey(*rule, week_of(day), _fate(rule, day, selection, chance)) for rule in shown)
            if silent:
                cards[CardKey(*SILENT, week_of(day), Fate(Became.SILENT, BESIDE if shown else ALONE))] += 1
            gaps.update(gap for gap, often in GAPS.items() if chance.random() < often)
            whole[int(chance.lognormvariate(3.5, 0.6))] += 1
    calls = sum(signings.values())
    tally = Tally(
        signings=signings,
        cards=cards,
        findings=Counter({FindingKey("respiratory-disease", "info", Elsewhere.INSIDE): calls // 30}),
        gaps=gaps,
        versions=(Version("77b01c9de2f4", since, TODAY, calls),) if calls else (),
        whole=whole,
        stages={"facts": whole, "rules": whole, "cards": whole},
        sampled=min(calls, 20_000),
        failed=calls // 400,
    )
    return tally, selection


def _advice(shown: bool, silent: bool) -> Advice:
    return Advice.SHOWN if shown else Advice.SILENT if silent else Advice.NONE


def _fate(rule: tuple[str, str], day: date, selection: Selection, chance: Random) -> Fate:
    if day > selection.judged_until:
        return Fate(Became.RECENT)
    lot = chance.random()
    if rule[0] == "cns-depressant-load":
        return Fate(Became.OVERRIDDEN, "not-clinically-relevant") if lot < 0.96 else Fate(Became.ACCEPTED, KINDS[0])
    if lot < {"critical": 0.5, "warning": 0.3, "info": 0.1}[rule[1]]:
        return Fate(Became.ACCEPTED, chance.choice(KINDS))
    return Fate(Became.OVERRIDDEN, chance.choice(REASONS)) if lot < 0.8 else Fate(Became.IGNORED)
