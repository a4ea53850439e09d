"""The workbench as a tester uses it: what can be done on the page, and what is seen there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, Response

Json = dict[str, Any]


@dataclass(frozen=True)
class Workbench:
    page: Page
    pictures: Path | None = None

    def open(self, fragment: str = "") -> None:
        self.page.goto(f"/workbench{fragment}")
        self.page.wait_for_selector(".person")

    def pick(self, patient: str) -> None:
        with self.page.expect_response(f"**/workbench/patients/{patient}"):
            self.page.select_option("#patient", patient)
        self.page.wait_for_function("() => document.querySelector('#chart .person')")

    def sign(self) -> Json:
        """The hook call that went out; when its answer and the why of it are on the page."""
        with self.page.expect_response("**/explain"), self.page.expect_request("**/baclofen-safety") as asked:
            self.page.click("#sign")
        self.page.wait_for_selector(".card, .failed, .clear")
        self.page.wait_for_selector("#panel-rules > *", state="attached")
        request: Json = json.loads(asked.value.post_data or "")
        return request

    def cards(self) -> dict[str, str]:
        """Topic → indicator, as they are shown, from top to bottom."""
        found = {}
        for card in self.page.query_selector_all(".card"):
            classes = (card.get_attribute("class") or "").split()
            found[card.get_attribute("data-topic") or ""] = classes[1]
        return found

    def take(self, label: str) -> Json:
        """Accepts a suggestion; the feedback that was posted."""
        with self.page.expect_response("**/feedback") as told:
            self.page.get_by_role("button", name=label).click()
        return self._feedback(told.value)

    def dismiss(self, topic: str, reason: str, comment: str = "") -> Json:
        card = self.page.locator(f'.card[data-topic="{topic}"]')
        card.get_by_text("Dismiss…").click()
        card.get_by_label(reason).check()
        if comment:
            card.get_by_label("Comment", exact=False).fill(comment)
        with self.page.expect_response("**/feedback") as told:
            card.get_by_role("button", name="Dismiss card").click()
        return self._feedback(told.value)

    def _feedback(self, response: Response) -> Json:
        assert response.status == 200
        (entry,) = json.loads(response.request.post_data or "")["feedback"]
        told: Json = entry
        return told

    def changes(self) -> dict[str, tuple[str, str]]:
        """Field → before and after, of the first action that is shown."""
        rows = self.page.query_selector_all("#changes .action:first-of-type > table tbody tr")
        return {
            row.query_selector("th").inner_text(): tuple(cell.inner_text() for cell in row.query_selector_all("td"))  # type: ignore[union-attr,misc]
            for row in rows
        }

    def value(self, selector: str) -> str:
        return self.page.input_value(selector)

    def dose(self) -> list[tuple[str, str, str]]:
        """Amount, unit and how often, line by line."""
        fields = ("amount", "unit", "often")
        return [
            tuple(row.query_selector(f"[data-field={name}]").input_value() for name in fields)  # type: ignore[union-attr,misc]
            for row in self.page.query_selector_all("[data-line]")
        ]

    def violations(self) -> list[str]:
        """Of the rules of axe, on the page as it is now."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]

    def picture(self, name: str, *, whole: bool = True) -> None:
        if self.pictures:
            self.page.screenshot(path=self.pictures / f"{name}.png", full_page=whole)
