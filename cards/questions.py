"""The clinical questions, in the order in which rules are asked. A new folder is added here."""

from __future__ import annotations

from types import ModuleType

from cards.dose import rule as dose
from cards.kidney_function import rule as kidney_function
from cards.mental_health import rule as mental_health
from cards.older_adults import rule as older_adults
from cards.opioids_and_sedatives import rule as opioids_and_sedatives
from cards.unreadable_data import rule as unreadable_data

QUESTIONS: dict[str, ModuleType] = {
    "kidney_function": kidney_function,
    "dose": dose,
    "opioids_and_sedatives": opioids_and_sedatives,
    "mental_health": mental_health,
    "older_adults": older_adults,
    "unreadable_data": unreadable_data,
}
"""Folder name → its rule module, which has ``Limits`` and ``RULES``."""
