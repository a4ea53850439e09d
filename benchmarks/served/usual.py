"""The usual way to write such a service, for comparison: the body as a pydantic model, every resource through
``fhir.resources``, an http middleware, one ORM commit for each request. A few rules, one card.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel
from sqlalchemy import String, Text, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_WANTED = {"2160-0": "creatinine", "98979-8": "egfr", "29463-7": "weight"}


class Call(BaseModel):
    hook: str
    hookInstance: uuid.UUID
    context: dict[str, Any]
    prefetch: dict[str, dict[str, Any]] = {}


class Card(BaseModel):
    uuid: str
    summary: str
    indicator: str
    source: dict[str, str]


class Answer(BaseModel):
    cards: list[Card]


class Base(DeclarativeBase):
    pass


class Record(Base):
    __tablename__ = "record"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    hook: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(Text)


engine = create_engine(os.environ.get("USUAL_DATABASE", "sqlite://"))
Base.metadata.create_all(engine)
app = FastAPI()


@app.middleware("http")
async def no_store(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["cache-control"] = "no-store"
    return response


@app.post("/cds-services/baclofen-safety", response_model=Answer)
def answer(call: Call) -> Answer:
    resources = [_read(one) for value in call.prefetch.values() for one in _resources(value)]
    drafts = [_read(one) for one in _resources(call.context["draftOrders"])]
    values = {
        _WANTED[coding.code]: one.valueQuantity.value
        for one in resources
        if one.__resource_type__ == "Observation"
        for coding in one.code.coding
        if coding.code in _WANTED
    }
    doses = [order.dosageInstruction[0].text for order in drafts]
    low = values.get("egfr", 90) < 60
    card = Card(
        uuid=str(uuid.uuid4()),
        summary=f"Baclofen {doses[0]} with eGFR {values.get('egfr')}",
        indicator="warning" if low else "info",
        source={"label": "usual"},
    )
    with Session(engine) as session:
        session.add(Record(id=card.uuid, hook=call.hook, detail=card.summary))
        session.commit()
    return Answer(cards=[card])


def _resources(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if value["resourceType"] == "Bundle":
        yield from (entry["resource"] for entry in value.get("entry", ()))
    else:
        yield value


def _read(resource: dict[str, Any]) -> Any:
    return get_fhir_model_class(resource["resourceType"]).model_validate(resource)
