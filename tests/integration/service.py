"""The whole service in this process, called over ASGI; what it reads from FHIR servers goes over real sockets."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, time
from typing import Any
from unittest.mock import patch

import httpx
from fastapi import FastAPI

from cds_service import app as app_of
from cds_service.settings import load
from tests.conformance.calls import SERVICE, TODAY, Json


class Service:
    """One service for several calls; each call has an event loop of its own."""

    def __init__(self, **settings: Any) -> None:
        # The deadline is generous: most tests are about what is read, on a machine that is busy with others.
        whole = {"mode": "sandbox", "fhir_seconds": 5} | settings
        self.today = date.fromisoformat(TODAY)
        with patch.object(app_of, "_clock", lambda _: self._now):
            self.app: FastAPI = app_of.create_app(load(None, **whole))
        # As it has when the service is ready.
        self.app.state.store.start()

    def _now(self) -> datetime:
        return datetime.combine(self.today, time(12), UTC)

    def post(self, *requests: Json) -> list[httpx.Response]:
        """All at once."""

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://cds.example", timeout=60) as client:
                calls = (client.post(SERVICE, content=json.dumps(one), headers=JSON) for one in requests)
                answers = await asyncio.gather(*calls)
            for close in self.app.state.closing:
                await close()
            return list(answers)

        return asyncio.run(run())

    def cards(self, request: Json) -> list[Json]:
        (response,) = self.post(request)
        assert response.status_code == 200, response.text
        shown: list[Json] = response.json()["cards"]
        return shown


JSON = {"content-type": "application/json"}


def without_uuids(value: Any) -> Any:
    """What must be the same whenever the same is asked."""
    if isinstance(value, dict):
        return {name: without_uuids(inside) for name, inside in value.items() if name != "uuid"}
    if isinstance(value, list):
        return [without_uuids(inside) for inside in value]
    return value
