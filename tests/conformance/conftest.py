from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cards.facts import Input
from cds_service import clients, overrides, services
from cds_service.app import application, create_app
from cds_service.completion import HungUp
from cds_service.course import Course
from cds_service.gate import Gate
from cds_service.hooks import HookCall
from cds_service.settings import Settings, load
from cds_service.store import Store
from tests.conformance.calls import TODAY, Client


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is busy with other tests the memory of overrides may take its time."""
    monkeypatch.setattr(overrides, "PATIENCE", 30)


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load(mode="sandbox", today=date.fromisoformat(TODAY))


@pytest.fixture(scope="session")
def client(settings: Settings) -> Client:
    """The whole service, as it runs."""
    return Client(create_app(settings))


Shell = Callable[..., Client]


@pytest.fixture
def shell() -> Shell:
    """The HTTP side alone; ``answer`` stands for everything behind it."""

    def build(answer: Callable[[HookCall], bytes] = lambda call: b'{"cards":[]}', **given: Any) -> Client:
        chosen = load(mode="sandbox", **given)
        service = services.baclofen_safety(frozenset(Input))

        async def answered(call: HookCall, _course: Course, _hung_up: HungUp) -> bytes:
            return answer(call)

        about = {"mode": chosen.mode, "contentVersion": "test"}
        app = application(
            chosen, service, lambda client: answered, about, Gate.of(chosen, clients.load(chosen), Store.open(chosen))
        )
        return Client(app)

    return build
