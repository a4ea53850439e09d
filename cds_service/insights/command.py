"""``baclofen-cds report``."""

from __future__ import annotations

import sys
from argparse import Namespace
from datetime import UTC, datetime, timedelta

from cards.catalogue import Catalogue
from cds_service import store
from cds_service.insights.names import Names
from cds_service.insights.reports import SANDBOX, NotReadError, Reports
from cds_service.insights.selection import SelectionError
from cds_service.settings import Settings


def run(given: Namespace, settings: Settings) -> int:
    """Writes to standard output. Raises ``SettingsError``."""
    engine = store.reading(settings)
    today = settings.today or datetime.now(UTC).date()
    reports = Reports(
        engine=lambda: engine,
        names=Names.of(Catalogue.load()),
        today=lambda: today,
        small_number=settings.small_number,
        ignored_after=timedelta(days=settings.ignored_after_days),
        about=SANDBOX if settings.sandbox else "",
    )
    wanted = {name: getattr(given, name) for name in ("since", "until", "client", "hook", "format")}
    try:
        document = reports.written({name: value for name, value in wanted.items() if value}, offered=False)
    except SelectionError as wrong:
        sys.stderr.write(f"baclofen-cds: {wrong}\n")
        return 2
    except NotReadError as error:
        sys.stderr.write(f"baclofen-cds: the database cannot be read ({error}); try again later\n")
        return 1
    sys.stdout.buffer.write(document.body)
    return 0
