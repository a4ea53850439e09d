"""A hospital with two EHRs in which baclofen is ordered for some weeks: every call and every answer goes through the
service, in this process, by the addresses that an EHR uses. Nothing is written past it.

    python -m tests.insights.simulation FOLDER [DAYS [A_DAY]]

leaves ``store.sqlite3`` in FOLDER, for ``baclofen-cds report --sandbox`` and ``/insights``. The same arguments give the
same figures, times and uuids apart. The patients are the fixture patients, each time under another id.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from cds_service.app import create_app
from cds_service.settings import Settings, load
from cds_service.workbench.patients import FixturePatient, patients

Json = dict[str, Any]

LAST = date(2026, 11, 24)
SERVICE = "/cds-services/baclofen-safety"
SILENT = ["opioid-coprescription"]
"""In the south this rule is tried before it interrupts anyone."""
QUIET = "nothing-to-say"
OFTEN: dict[str, int] = {QUIET: 78, "ckd-3b": 6, "no-creatinine": 4, "oxycodone-90-mme": 5, "everything-at-once": 2}
"""Of hundred signings; every other patient comes once."""
KEY = ECKey.generate_key("P-384")


@dataclass(frozen=True)
class Hospital:
    folder: Path
    a_day: int = 12
    """Signings on a working day; on other days a quarter of them."""
    seed: int = 6

    def settings(self, today: date) -> Settings:
        keys = self.folder / "keys.json"
        if not keys.exists():
            keys.write_text(json.dumps({"keys": [KEY.as_dict(private=False) | {"kid": "k"}]}))
        profiles: dict[str, Json] = {"north": {"insights": True}, "south": {"rules_silent": SILENT}}
        clients = {
            name: {"issuers": [f"https://{name}.example"], "jwks_file": str(keys), **more}
            for name, more in profiles.items()
        }
        return load(
            mode="sandbox", today=today, state_dir=self.folder, hash_key="k" * 32, clients=clients, spool_bytes=1 << 20
        )

    async def works(self, days: int, last: date = LAST) -> Counter[str]:
        """What was done, counted as it was done: to hold the report against."""
        chance, done = Random(self.seed), Counter[str]()  # noqa: S311  # a simulation that can be repeated
        for day in (last - timedelta(days=ago) for ago in reversed(range(days))):
            app = create_app(self.settings(day))
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://cds.example") as http:
                signings = self.a_day if day.weekday() < 5 else self.a_day // 4
                for _ in range(signings):
                    await _signed(http, _chosen(chance, patients(day)), chance, done)
            for close in app.state.closing:
                await close()
            await app.state.store.close()
        return done


def _chosen(chance: Random, offered: tuple[FixturePatient, ...]) -> FixturePatient:
    return chance.choices(offered, [OFTEN.get(one.id, 1) for one in offered])[0]


async def _signed(http: httpx.AsyncClient, patient: FixturePatient, chance: Random, done: Counter[str]) -> None:
    """One order, from choosing to what became of the cards."""
    client = chance.choices(("north", "south"), (7, 3))[0]
    body = await _request(http, patient, chance)
    if chance.random() < 0.2:
        selected = f"MedicationRequest/{patient.unsigned[0]['id']}"
        selecting = body | {"hook": "order-select", "context": body["context"] | {"selections": [selected]}}
        await _post(http, client, SERVICE, selecting)
        done["selections"] += 1
    cards = await _call(http, client, body, done)
    entries = [entry for card in cards if (entry := _became(card, chance, done))]
    if entries:
        await _post(http, client, f"{SERVICE}/feedback", {"feedback": entries})
    if cards and chance.random() < 0.1:  # the order is signed again, unchanged, a minute later
        for card in await _call(http, client, body | {"hookInstance": _uuid(chance)}, done):
            if entry := _became(card, chance, done):
                await _post(http, client, f"{SERVICE}/feedback", {"feedback": [entry]})


async def _call(http: httpx.AsyncClient, client: str, body: Json, done: Counter[str]) -> list[Json]:
    cards: list[Json] = (await _post(http, client, SERVICE, body)).json()["cards"]
    done["signings"] += 1
    done[f"signings of {client}"] += 1
    done["with a card"] += bool(cards)
    done["cards"] += len(cards)
    return cards


def _became(card: Json, chance: Random, done: Counter[str]) -> Json | None:
    """The more urgent a card, the more often it is followed; every third says nothing of an information."""
    accepts = {"critical": 0.55, "warning": 0.35, "info": 0.1}[card["indicator"]]
    lot = chance.random()
    told: Json = {"card": card["uuid"], "outcomeTimestamp": "2026-11-24T12:00:00Z"}
    if lot < accepts and (offered := card.get("suggestions")):
        done["accepted"] += 1
        return told | {"outcome": "accepted", "acceptedSuggestions": [{"id": chance.choice(offered)["uuid"]}]}
    if lot < 0.85 - 0.3 * (card["indicator"] == "info"):
        done["overridden"] += 1
        reason = chance.choice([*card.get("overrideReasons", []), None])
        return told | {"outcome": "overridden"} | ({"overrideReason": {"reason": reason}} if reason else {})
    done["ignored"] += 1
    return None


async def _request(http: httpx.AsyncClient, patient: FixturePatient, chance: Random) -> Json:
    """The order-sign request of a patient whom nobody has seen before."""
    service = (await http.get("/cds-services")).json()["services"][0]
    queries = {
        key: query.replace("{{context.patientId}}", patient.patient_id) for key, query in service["prefetch"].items()
    }
    if chance.random() < 0.08:
        del queries[chance.choice(["allergies", "observations", "procedures", "medications"])]
    filled = await http.post("/workbench/prefetch", json={"resources": patient.chart, "queries": queries})
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in patient.unsigned]}
    request = {
        "hook": "order-sign",
        "hookInstance": _uuid(chance),
        "context": {"userId": "Practitioner/u1", "patientId": patient.patient_id, "draftOrders": drafts},
        "prefetch": filled.raise_for_status().json(),
    }
    other = f"p{chance.getrandbits(32):08x}"
    renamed = json.dumps(request).replace(f'Patient/{patient.patient_id}"', f'Patient/{other}"')
    whole: Json = json.loads(renamed.replace(f'"{patient.patient_id}"', f'"{other}"'))
    return whole


def _uuid(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


async def _post(http: httpx.AsyncClient, client: str, path: str, body: Json) -> httpx.Response:
    answer = await http.post(path, json=body, headers={"authorization": f"Bearer {token(client, path)}"})
    return answer.raise_for_status()


def token(client: str, path: str) -> str:
    """What an EHR sends: a new one with each call."""
    now = int(time.time())
    claims = {"iss": f"https://{client}.example", "aud": f"https://cds.example{path}", "iat": now, "exp": now + 300}
    claims["jti"] = f"{time.perf_counter_ns()}"
    return jwt.encode({"alg": "ES384", "kid": "k", "typ": "JWT"}, claims, KEY, algorithms=["ES384"])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    days, a_day = (int(given) for given in [*sys.argv[2:4], *["31", "12"][len(sys.argv) - 2 :]])
    for what, number in sorted(asyncio.run(Hospital(folder, a_day).works(days)).items()):
        sys.stdout.write(f"{number:6} {what}\n")
