"""Recognising a drug by its name when no code did: whole words of a reviewed list, never similarity.

Baclofen's name may also give form and strength, by an exact grammar ("BACLOFEN 10 MG PO TABS").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from cards.facts import Route
from cards.terminology import FOLDER, read_rows
from cds_service.gather.products import Strength

_ALLERGY = ("allerg", "intoleran", "hypersens")
_REFUSED_ANYWHERE = ("denie", "declin", "refus", "contraindic")
"""Beginnings of words with which the text does not name a medicine that is taken."""
_REFUSED_AFTER = frozenset({"no", "not", "never", "without", "avoid", "family", "history"})
"""Words that refuse every drug named after them."""
_ON_THE_SURFACE = frozenset(
    {"cream", "gel", "ointment", "lotion", "topical", "shampoo", "ophthalmic", "ophth", "eye", "otic", "ear"}
)
_COUNTED_ON_THE_SURFACE = ("opioid-medications", "baclofen")
"""Other drugs in a cream or in eye drops do not count (rules.md 2, IN-CNS)."""


class Word(NamedTuple):
    value_set: str
    flags: frozenset[str]
    unless: str
    """A value set whose words in the same text cancel this one: naloxone beside buprenorphine is no rescue product."""


class Named(NamedTuple):
    value_sets: dict[str, frozenset[str]]
    opioids: tuple[str, ...]
    """The opioid ingredients, by their generic names."""
    refused: bool = False
    """A drug is named, but as one that is not taken: "allergic to morphine"."""


class DrugWords:
    """The reviewed list ``drug-words.csv``: generic names, and a few brands."""

    def __init__(self, phrases: dict[tuple[str, ...], list[tuple[str, Word]]]) -> None:
        self._phrases = phrases
        self._beginnings: dict[str, list[tuple[str, ...]]] = {}
        for phrase in sorted(phrases, key=len, reverse=True):
            self._beginnings.setdefault(phrase[0], []).append(phrase)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> DrugWords:
        phrases: dict[tuple[str, ...], list[tuple[str, Word]]] = {}
        columns = ("word", "value_set", "flags", "unless", "ingredient")
        for _, (word, value_set, flags, unless, ingredient) in read_rows(folder / "drug-words.csv", columns):
            meaning = Word(value_set, frozenset(filter(None, flags.split("|"))), unless)
            phrases.setdefault(tuple(tokens(word)), []).append((ingredient, meaning))
        return cls(phrases)

    def find(self, text: str, *, allergen: bool = False) -> Named:
        """The value sets that the names in a text stand for; nothing when it speaks of an allergy and the like.

        ``allergen``: the text stands on an allergy list, where "allergy to baclofen" does name baclofen.
        """
        words = tokens(text)
        phrases = list(self._phrases_in(words[: _first_refusal(words)]))
        refused = _REFUSED_ANYWHERE if allergen else (*_REFUSED_ANYWHERE, *_ALLERGY)
        if not phrases or any(word.startswith(refused) for word in words):
            return Named({}, (), refused=any(True for _ in self._phrases_in(words)))
        on_the_surface = not _ON_THE_SURFACE.isdisjoint(words)
        meant = [
            (ingredient, word)
            for phrase in phrases
            for ingredient, word in self._phrases[phrase]
            if not on_the_surface or word.value_set.startswith(_COUNTED_ON_THE_SURFACE)
        ]
        named = {word.value_set for _, word in meant}
        found: dict[str, frozenset[str]] = {}
        for _, word in meant:
            if word.unless not in named:
                found[word.value_set] = found.get(word.value_set, frozenset()) | word.flags
        return Named(found, tuple(dict.fromkeys(ingredient for ingredient, _ in meant if ingredient)))

    def _phrases_in(self, words: list[str]) -> Iterator[tuple[str, ...]]:
        """Names in the text, the longest first at each place, none overlapping."""
        resume = 0
        for place, word in enumerate(words):
            if place >= resume and word in self._beginnings:
                for phrase in self._beginnings[word]:
                    if tuple(words[place : place + len(phrase)]) == phrase:
                        yield phrase
                        resume = place + len(phrase)
                        break


def _first_refusal(words: list[str]) -> int:
    """Where a refusal begins. "No" before a number is none: "Tylenol no. 3 with codeine"."""
    for place, word in enumerate(words):
        numbered = word == "no" and place + 1 < len(words) and words[place + 1].isdigit()
        if word in _REFUSED_AFTER and not numbered:
            return place
    return len(words)


def tokens(text: str) -> list[str]:
    """Lower case, accents folded, split at everything that is no letter or digit; only the first 1,000 characters."""
    folded = text[:1000].casefold()
    if not folded.isascii():
        folded = "".join(char for char in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(char))
    return _WORD.findall(folded)


_WORD = re.compile(r"[a-z0-9]+")


# ------------------------------------------------------------------------------------------- strength in the name

_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?"
_NAME = r"(?:baclofen|lioresal|ozobax(?:\ ds)?|fleqsuvy|lyvispah|kemstro|lyflex|gablofen)"
_PRODUCT = re.compile(
    rf"""{_NAME} (?:\ ?[(\[] {_NAME} [)\]])? ,?\ (?P<amount>{_NUMBER})\ ?(?P<unit>mg|mcg|micrograms?)
    (?P<per>\ ?/\ ?(?P<volume>{_NUMBER})?\ ?ml)? ,?\ (?P<form>[a-z ]+) (?:[(\[] {_NAME} [)\]])?""",
    re.VERBOSE,
)
_SOLID = {"tab", "tabs", "tablet", "tablets", "cap", "caps", "capsule", "capsules", "packet", "packets"}
_LIQUID = {"solution", "soln", "suspension", "susp", "liquid", "syrup", "injection"}
_ORAL = {"po", "oral", "mouth", "disintegrating", "granules"} | _SOLID
_FORM = _ORAL | _LIQUID | {"in", "by", "for", "intrathecal", "sugar", "free", "prefilled", "syringe", "vial"}


def read_strength(text: str) -> Strength | None:
    """The strength in a baclofen name that holds one amount and one form and nothing else; otherwise ``None``."""
    match = _PRODUCT.fullmatch(re.sub(r"\s+", " ", text[:200].strip().casefold()))
    if match is None:
        return None
    form = set(match["form"].split())
    amount = _number(match["amount"]) / (1 if match["unit"] == "mg" else 1000)
    volume = _number(match["volume"] or "1")
    if form - _FORM or not amount or not volume:
        return None
    if match["per"]:
        return Strength(mg_per_ml=amount / volume) if form & _LIQUID and not form & _SOLID else None
    return Strength(mg_per_unit=amount) if form & _SOLID and not form & _LIQUID and match["unit"] == "mg" else None


def read_route(text: str) -> Route | None:
    """The route that the words of a baclofen name tell; ``None`` when they tell none, or two."""
    words = set(tokens(text))
    signs = {Route.INTRATHECAL: {"intrathecal", "gablofen"}, Route.TOPICAL: _ON_THE_SURFACE, Route.ORAL: _ORAL}
    told = [route for route, said in signs.items() if words & said]
    return told[0] if len(told) == 1 else None


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))
