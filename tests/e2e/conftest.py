"""Chromium and a running service. Skipped where no Chromium is found: set CHROMIUM, or install it (apt-get install
chromium)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conformance.calls import TODAY
from tests.conformance.process import Service, serving

NAMES = ("chromium", "chromium-browser", "google-chrome")
NEEDED = "needs Chromium on the PATH (Debian: apt-get install chromium), or its path in the variable CHROMIUM"


PATIENCE = 20_000
"""Milliseconds that a step may take on a busy machine."""
expect.set_options(timeout=PATIENCE)


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with the module: while Playwright runs, its event loop is that of the whole thread."""
    path = chromium()
    if path is None:
        pytest.skip(NEEDED)
    with sync_playwright() as playwright:
        # Without a sandbox of its own: in a container or as root Chromium has none, and it only sees this service.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("workbench"), "--sandbox", BACLOFEN_CDS_TODAY=TODAY) as running:
        yield running


@pytest.fixture
def context(browser: Browser, service: Service) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=service.url)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which nothing may fail behind the scenes: no script error, no refusal by the content policy, no request
    to another host."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.on(
        "request", lambda sent: None if sent.url.startswith(("http://127.0.0.1:", "blob:")) else wrong.append(sent.url)
    )
    yield page
    assert wrong == []


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where screenshots go, to be looked at; none are made without the variable SCREENSHOTS."""
    folder = os.environ.get("SCREENSHOTS")
    if folder is None:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)
