"""The clinical questions, in the order in which rules are asked. A new folder is added here."""

from __future__ import annotations

from types import ModuleType

from cards.alcohol import rule as alcohol
from cards.allergy import rule as allergy
from cards.children import rule as children
from cards.dose import rule as dose
from cards.duplicate_baclofen import rule as duplicate_baclofen
from cards.intrathecal import rule as intrathecal
from cards.kidney_function import rule as kidney_function
from cards.mental_health import rule as mental_health
from cards.neurology import rule as neurology
from cards.older_adults import rule as older_adults
from cards.opioids_and_sedatives import rule as opioids_and_sedatives
from cards.other_interactions import rule as other_interactions
from cards.pregnancy import rule as pregnancy
from cards.unreadable_data import rule as unreadable_data
from cards.withdrawal import rule as withdrawal

QUESTIONS: dict[str, ModuleType] = {
    "allergy": allergy,
    "withdrawal": withdrawal,
    "kidney_function": kidney_function,
    "dose": dose,
    "opioids_and_sedatives": opioids_and_sedatives,
    "intrathecal": intrathecal,
    "duplicate_baclofen": duplicate_baclofen,
    "pregnancy": pregnancy,
    "children": children,
    "mental_health": mental_health,
    "neurology": neurology,
    "alcohol": alcohol,
    "older_adults": older_adults,
    "other_interactions": other_interactions,
    "unreadable_data": unreadable_data,
}
"""Folder name → its rule module, which has ``Limits`` and ``RULES``."""
