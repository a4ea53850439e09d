"""Orders whose dosage is a sentence."""

from __future__ import annotations

from decimal import Decimal

from tests.vignettes.fhir import Json, Style
from tests.vignettes.schedules import MOMENTS, Schedule

_OFTEN = {
    "once daily": "once daily", "at night": "at bedtime", "BID": "twice a day", "TID": "3 times a day",
    "QID": "4 (four) times daily", "Q6H": "every 6 hours",
}  # fmt: skip
_MOMENTS = {
    "MORN": "in the morning", "NOON": "at noon", "AFT": "in the afternoon", "EVE": "in the evening",
    "NIGHT": "at night",
}  # fmt: skip


class Sigs(Style):
    """ "Take 0.5 tablets (2.5 mg) by mouth 3 times a day for 7 days", and no element but the sequence."""

    name = "sentences"
    hook_instance = "5b0f8f0e-6f0a-4f0e-8c0d-2f6a1c9b7d10"
    from_text = True

    def instructions(self, schedule: Schedule, mg: Decimal | None) -> list[Json]:
        made: list[Json] = []
        for sequence, step in enumerate(schedule.steps, start=1):
            numbered = {"sequence": sequence} if len(schedule.steps) > 1 or not step.often else {}
            often = [_OFTEN[step.often]] if step.often else [_MOMENTS[moment] for moment in MOMENTS[len(step.doses)]]
            for dose, when in zip(step.doses, often, strict=True):
                lasts = f" for {step.days} days" if step.days else ""
                needed = " as needed" if schedule.as_needed else ""
                made.append(numbered | {"text": f"Take {_amount(dose, mg)} by mouth {when}{lasts}{needed}"})
        return made


def _amount(dose: Decimal, mg: Decimal | None) -> str:
    if mg is None:
        return f"{dose:f} mg"
    tablets = dose / mg
    return f"{tablets:f} tablet{'' if tablets == 1 else 's'} ({dose:f} mg)"
