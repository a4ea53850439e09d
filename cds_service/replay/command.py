"""``baclofen-cds replay``: the options in, the story on the screen, the files in ``--out``."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Never

from tqdm import tqdm

from cds_service import clients
from cds_service.replay import Progress, replay
from cds_service.replay.export import NoExportError
from cds_service.replay.found import Found
from cds_service.replay.results import ByMonth, keep, write_bad_lines, write_months, write_report
from cds_service.replay.running import NoRayError, Run, in_turn, processes, ray_cluster
from cds_service.replay.work import Plan, Site
from cds_service.settings import Settings, SettingsError
from cds_service.store import Store

REPORT, MONTHS, DATABASE = "report.html", "by-month.csv", "replay.sqlite3"
BAD_LINES, WORK = "bad-lines.csv", "work"


def run(given: argparse.Namespace, settings: Settings) -> int:
    """The exit code. Raises ``SettingsError``."""
    given.out.mkdir(parents=True, exist_ok=True)
    try:
        with _running(given) as how, _progress() as progress:
            plan, found = replay(given.export, given.out / WORK, _site(settings, given.client), how, progress)
    except (NoExportError, NoRayError) as error:
        print(f"baclofen-cds: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("baclofen-cds: broken off. The same command goes on where this one stopped.", file=sys.stderr)
        return 130
    database = (given.out / DATABASE).resolve()
    database.unlink(missing_ok=True)
    store = Store.open(Settings.model_validate({"mode": "sandbox", "database": f"sqlite:///{database}"}))
    months = asyncio.run(_kept(plan, store, given.out / REPORT))
    write_months(months, given.out / MONTHS)
    write_bad_lines((bad for one in found.values() for bad in one.named), given.export, given.out / BAD_LINES)
    shutil.rmtree(given.out / WORK)
    print("\n".join(_summary(found, months, given.out)))
    return 0


def _running(given: argparse.Namespace) -> AbstractContextManager[Run]:
    if given.ray:
        return ray_cluster(given.ray)
    return nullcontext(in_turn) if given.processes == 1 else processes(given.processes)


def _site(settings: Settings, name: str | None) -> Site:
    off = silent = frozenset[str]()
    if name:
        client = next((one for one in clients.load(settings) if one.name == name), None)
        if client is None:
            raise SettingsError(
                f"--client {name}: there is no table [clients.{name}]; name one that check-config shows"
            )
        off, silent = client.rules_off, client.rules_silent
    return Site(settings.snomed, settings.dmd, settings.jurisdiction, off, silent)


@contextmanager
def _progress() -> Iterator[Progress]:
    bars: dict[str, tqdm[Never]] = {}

    def show(stage: str, done: int, whole: int) -> None:
        if not whole:
            return
        if stage not in bars:
            for before in bars.values():
                before.close()
            unit = "shards" if stage == "signings" else "B"
            bars[stage] = tqdm(desc=f"{stage:9}", total=whole, unit=unit, unit_scale=unit == "B", leave=True)
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


async def _kept(plan: Plan, store: Store, report: Path) -> ByMonth:
    try:
        months = await keep(plan, store)
        if months.days:
            write_report(store, months, report)
    finally:
        await store.close()
    return months


def _summary(found: Mapping[str, Found], months: ByMonth, out: Path) -> Iterator[str]:
    lines = found["medicines"].lines + found["charts"].lines
    patients, bad = len(set(found["orders"].patients)), sum(one.bad for one in found.values())
    signed = found["signings"]
    yield f"{lines:,} resources read; {patients:,} patients with an order for baclofen"
    if months.days:
        share = months.with_card / months.total
        yield (
            f"{months.total:,} signings assessed, {months.days[0]} to {months.days[1]}: "
            f"{months.with_card:,} ({share:.0%}) would have shown a card"
        )
    if signed.not_dated:
        yield f"{signed.not_dated:,} orders for baclofen tell no day on which they were written: not assessed"
    if signed.not_assessed:
        yield f"{signed.not_assessed:,} signings would have been answered with an error"
    if bad:
        yield f"{bad:,} lines could not be used: {out / BAD_LINES}"
    if months.days:
        yield f"Report:          {out / REPORT}"
    yield f"Counts by month: {out / MONTHS}"
    yield f"Every signing:   {out / DATABASE}"
