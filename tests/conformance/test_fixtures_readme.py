"""fixtures/README.md names every request, what it is for, and what is answered to it on 24 November 2026."""

from __future__ import annotations

import re
from datetime import date

import pytest

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import Client, post, topics
from tests.conformance.test_public_requests import FOLDER, request_in

README = (FOLDER.parent / "README.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`[^|]*\.json`) \| ([^|]+) \| `([^`|]+)` \|$", README, re.MULTILINE)
ANSWERS = [(name, answer) for cell, _, answer in ROWS for name in re.findall(r"`([^`]+)`", cell)]
FILES = {path.name: path for path in FOLDER.glob("*/*.json")}
CLIENT = Client(create_app(load(mode="sandbox", today=date(2026, 11, 24))))


def test_every_request_is_named_once() -> None:
    assert sorted(name for name, _ in ANSWERS) == sorted(path.name for path in FOLDER.glob("*/*.json"))
    assert len(FILES) == len(ANSWERS)


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_the_answer_is_the_one_that_is_named(name: str, answer: str) -> None:
    response = post(CLIENT, request_in(FILES[name]))
    if response.status_code == 200:
        assert (topics(response.json()["cards"]) or ["no cards"])[0] == answer
    else:
        assert str(response.status_code) == answer


def test_every_patient_of_the_workbench_is_in_its_index() -> None:
    folder = FOLDER.parent / "patients"
    index = (folder / "index.toml").read_text("utf-8")
    assert set(re.findall(r'^id = "(.*)"$', index, re.MULTILINE)) == {path.stem for path in folder.glob("*.json")}
