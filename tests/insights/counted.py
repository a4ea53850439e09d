"""A small tally, worked out by hand: two weeks, fifty signings."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from cds_service.insights.selection import Selection
from cds_service.insights.tally import (
    ALONE,
    BESIDE,
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

W45, W46 = date(2026, 11, 2), date(2026, 11, 9)
TODAY = date(2026, 11, 24)
TWO_WEEKS = Selection(W45, date(2026, 11, 15), TODAY, timedelta(days=7))
RENAL, OPIOID, OLDER = "renal-dose-exceeds-limit", "opioid-coprescription", "older-adult-caution"


def accepted(kind: str) -> Fate:
    return Fate(Became.ACCEPTED, kind)


def overridden(code: str) -> Fate:
    return Fate(Became.OVERRIDDEN, code)


IGNORED, RECENT = Fate(Became.IGNORED), Fate(Became.RECENT)


def tally() -> Tally:
    return Tally(
        signings=Counter(
            {
                (W45, Advice.SHOWN): 8,
                (W45, Advice.SILENT): 1,
                (W45, Advice.NONE): 21,
                (W46, Advice.SHOWN): 10,
                (W46, Advice.NONE): 10,
            }
        ),
        cards=Counter(
            {
                CardKey(RENAL, "critical", W45, accepted("change-dose")): 3,
                CardKey(RENAL, "critical", W45, accepted("taper")): 1,
                CardKey(RENAL, "critical", W45, overridden("will-monitor")): 2,
                CardKey(RENAL, "critical", W45, IGNORED): 1,
                CardKey(RENAL, "critical", W46, overridden("not-clinically-relevant")): 2,
                CardKey(RENAL, "critical", W46, IGNORED): 3,
                CardKey(OPIOID, "warning", W45, accepted("co-prescribe-naloxone")): 1,
                CardKey(OPIOID, "warning", W45, overridden("not-clinically-relevant")): 6,
                CardKey(OPIOID, "warning", W46, overridden("not-clinically-relevant")): 4,
                CardKey(OPIOID, "warning", W46, RECENT): 1,
                CardKey(OLDER, "info", W45, Fate(Became.SILENT, ALONE)): 1,
                CardKey(OLDER, "info", W46, Fate(Became.SILENT, BESIDE)): 2,
            }
        ),
        findings=Counter(
            {FindingKey(OLDER, "info", Elsewhere.INSIDE): 5, FindingKey(OPIOID, "warning", Elsewhere.HELD): 2}
        ),
        gaps=Counter({Gap("kidney_results", "not recorded"): 7, Gap("kidney_results", "not available"): 3}),
        versions=(Version("aaaa", W45, W46, 30), Version("bbbb", W46, date(2026, 11, 15), 20)),
        whole=Counter({10: 50, 25: 40, 99: 9, 400: 1}),
        stages={"rules": Counter({3: 4}), "facts": Counter({3: 5})},
        sampled=5,
        failed=4,
        unlinked=5,
    )
