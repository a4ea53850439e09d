from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration import ehr
from tests.integration.ehr import Ehr
from tests.integration.people import BACLOFEN, OPIOID, everyone


@pytest.fixture(scope="session")
def open_ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    """A FHIR server that asks for no token, with everybody's chart."""
    with ehr.running(tmp_path_factory.mktemp("open-ehr")) as server:
        fill(server)
        yield server


@pytest.fixture(scope="session")
def protected_ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    """The same for bearers of a token."""
    with ehr.running(tmp_path_factory.mktemp("protected-ehr"), protected=True) as server:
        fill(server)
        yield server


def fill(server: Ehr) -> None:
    server.fill([BACLOFEN, OPIOID])
    for person in everyone():
        server.fill(person.chart())
