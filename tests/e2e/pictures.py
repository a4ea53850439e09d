"""The pictures of the README, drawn from the workbench as it is: ``make pictures``."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.conformance.calls import TODAY
from tests.conformance.process import serving
from tests.e2e.conftest import NEEDED, chromium
from tests.e2e.workbench import Workbench

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PATIENT = "ckd-3b"


def draw() -> None:
    path = chromium()
    if path is None:
        sys.exit(f"make pictures {NEEDED}")
    with (
        TemporaryDirectory() as folder,
        serving(Path(folder), "--sandbox", BACLOFEN_CDS_TODAY=TODAY) as service,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": 1360, "height": 900}, base_url=service.url, device_scale_factor=1.5, color_scheme="light"
        )
        workbench = Workbench(page)
        workbench.open()
        workbench.pick(PATIENT)
        workbench.sign()
        page.locator(".card").first.screenshot(path=FOLDER / "card.png")
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=FOLDER / "workbench.png")
        browser.close()


if __name__ == "__main__":
    draw()
