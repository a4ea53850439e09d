"""Which calls and cards a report is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from cards.facts import Hook

USUAL = timedelta(weeks=12)
"""Of a report whose begin is not named: the present week and the twelve before it."""
LONGEST = timedelta(days=366 * 5)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
HOOKS = (Hook.ORDER_SIGN.value, Hook.ORDER_SELECT.value)


class SelectionError(Exception):
    """What is wrong with a selection; the message is the cure."""

    def __init__(self, name: str, cure: str) -> None:
        super().__init__(f"{name}: {cure}")
        self.name = name
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Selection:
    since: date
    until: date
    """The last day, included. Days are days in UTC."""
    today: date
    ignored_after: timedelta
    """A card without feedback for so long was ignored; a younger one is not judged, whatever was told of it."""
    client: str = ""
    """Empty: of every client."""
    hook: Hook = Hook.ORDER_SIGN

    @classmethod
    def of(cls, given: Mapping[str, str], today: date, ignored_after: timedelta) -> Self:
        """From texts that a person wrote, all of them optional. Raises ``SelectionError``."""
        until = _day("until", given.get("until"), today)
        monday = week_of(until - USUAL)
        since = _day("since", given.get("since"), monday)
        if since > until:
            raise SelectionError("since", f"the period ends before it begins; name a day up to {until}")
        if until - since > LONGEST:
            raise SelectionError("since", f"name a day from {until - LONGEST} on")
        hook = given.get("hook") or Hook.ORDER_SIGN.value
        if hook not in HOOKS:
            raise SelectionError("hook", f"name one of {', '.join(HOOKS)}")
        client = given.get("client") or ""
        if client and not _NAME.fullmatch(client):
            raise SelectionError("client", "name a client as its profile is named")
        return cls(since, until, today, ignored_after, client, Hook(hook))

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.since, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.until + timedelta(days=1), time(), UTC)

    @property
    def judged_until(self) -> date:
        """The last day whose cards are old enough to be judged."""
        return min(self.until, self.today - self.ignored_after)

    def weeks(self) -> tuple[date, ...]:
        """Every week of the period by its Monday, those without a call too."""
        first, last = week_of(self.since), week_of(self.until)
        return tuple(first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1))

    def whole(self, week: date) -> bool:
        """Whether all seven days of it are in the period and over."""
        return self.since <= week and week + timedelta(days=6) <= min(self.until, self.today - timedelta(days=1))


def _day(name: str, text: str | None, otherwise: date) -> date:
    if not text:
        return otherwise
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SelectionError(name, "name a day as YYYY-MM-DD") from None


def week_of(day: date) -> date:
    """Its Monday: ISO weeks begin there."""
    return day - timedelta(days=day.weekday())


def iso_week(monday: date) -> str:
    """ "2026-W48"."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"
