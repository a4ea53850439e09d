"""What order-select has read answers order-sign of the same session only, for two minutes, in bounded memory."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from cards.facts import Hook
from cds_service import hooks
from cds_service.fhir_client import Base
from cds_service.hooks import HookCall
from cds_service.warmed import LASTS, NOTHING, Bodies, Earlier, Warmed
from tests.conformance.calls import order_select, order_sign

TOKEN = "canary-token"  # noqa: S105  # made up
NOW = 1e9
"""Far beyond the clock of any event loop: timers do not come in between."""
BODIES: Bodies = {"Patient/p1": Raw(b'{"resourceType":"Patient"}')}


@dataclass(frozen=True)
class Who:
    client: str = "north"
    base: str = "https://ehr.example/fhir"
    patient: str = "p1"
    user: str = "Practitioner/u1"
    token: str = TOKEN

    def asks(self, warmed: Warmed, hook: Hook, now: float, expires_in: float | None = 300) -> Earlier:
        base = Base.of(self.base)
        assert base is not None
        return warmed.earlier(self.client, base, self.call(hook, expires_in), now)

    def call(self, hook: Hook, expires_in: float | None) -> HookCall:
        request = order_sign(patientId=self.patient, userId=self.user)
        if hook is Hook.ORDER_SELECT:
            request = order_select(selections=["MedicationRequest/d1"])
            request["context"] |= {"patientId": self.patient, "userId": self.user}
        authorization = {"access_token": self.token, "token_type": "Bearer", "expires_in": expires_in}
        request |= {"fhirServer": self.base, "fhirAuthorization": authorization}
        return hooks.parse(json.dumps(request).encode(), list(Hook))


def kept(who: Who, bodies: Bodies = BODIES, *, warmed: Warmed | None = None, now: float = NOW,
         expires_in: float | None = 300) -> Warmed:  # fmt: skip
    warmed = warmed or Warmed()

    async def keep() -> None:
        who.asks(warmed, Hook.ORDER_SELECT, now, expires_in).keep(bodies)

    asyncio.run(keep())
    return warmed


def found(who: Who, warmed: Warmed, now: float = NOW) -> Bodies:
    return who.asks(warmed, Hook.ORDER_SIGN, now).bodies


def test_order_sign_gets_what_order_select_has_read() -> None:
    assert found(Who(), kept(Who())) == BODIES


def test_order_select_itself_reads_anew() -> None:
    assert Who().asks(kept(Who()), Hook.ORDER_SELECT, NOW).bodies == {}


def test_order_sign_keeps_nothing() -> None:
    warmed = Warmed()
    Who().asks(warmed, Hook.ORDER_SIGN, NOW).keep(BODIES)
    assert found(Who(), warmed) == {}


CLOSE = Who("south", "https://ehr.example/fhir2", "p11", "Practitioner/u11", TOKEN + "2")
"""Each member differs by little."""
MEMBERS = tuple(vars(CLOSE))


@given(st.sets(st.sampled_from(MEMBERS), min_size=1))
def test_another_patient_user_client_server_or_token_never_gets_it(differing: set[str]) -> None:
    other = replace(Who(), **{name: getattr(CLOSE, name) for name in differing})
    assert found(other, kept(Who())) == {}


@dataclass(frozen=True)
class Step:
    who: Who
    hook: Hook
    later: float


WHO = st.builds(
    Who,
    st.sampled_from(["north", "south"]),
    st.sampled_from(["https://ehr.example/fhir", "https://ehr.example/fhir2"]),
    st.sampled_from(["p1", "p2", "p1p2"]),
    st.sampled_from(["Practitioner/u1", "Practitioner/u2", "PractitionerRole/u1", ""]),
    st.sampled_from(["t", "tt"]),
)
STEPS = st.lists(st.builds(Step, WHO, st.sampled_from(list(Hook)), st.floats(0, LASTS)), max_size=40)


@given(STEPS, st.integers(0, 2000))
def test_whatever_is_asked_in_whatever_order_what_comes_is_ones_own_and_young(steps: list[Step], most: int) -> None:
    """Each body names who read it and when."""
    warmed = Warmed(most)
    now = NOW

    async def run() -> None:
        nonlocal now
        for step in steps:
            now += step.later
            earlier = step.who.asks(warmed, step.hook, now)
            for body in earlier.bodies.values():
                owner, at = json.loads(bytes(body))
                assert owner == list(vars(step.who).values())
                assert now - at < LASTS
                assert step.hook is Hook.ORDER_SIGN
            earlier.keep({"Patient/p1": Raw(json.dumps([list(vars(step.who).values()), now]).encode())})
            assert warmed.size <= most

    asyncio.run(run())


def test_after_two_minutes_it_is_gone() -> None:
    warmed = kept(Who())
    assert found(Who(), warmed, NOW + LASTS - 0.001) == BODIES
    assert found(Who(), warmed, NOW + LASTS) == {}


def test_it_does_not_outlive_its_token() -> None:
    warmed = kept(Who(), expires_in=30)
    assert found(Who(), warmed, NOW + 29.9) == BODIES
    assert found(Who(), warmed, NOW + 30) == {}
    assert found(Who(), kept(Who(), expires_in=None), NOW + LASTS - 0.001) == BODIES


def test_it_leaves_memory_when_its_time_is_over_also_if_nobody_asks() -> None:
    async def run() -> None:
        warmed = Warmed()
        now = asyncio.get_running_loop().time()
        Who().asks(warmed, Hook.ORDER_SELECT, now, 0.05).keep(BODIES)
        Who(patient="p2").asks(warmed, Hook.ORDER_SELECT, now).keep(BODIES)
        assert warmed.size == 2 * len(BODIES["Patient/p1"])
        await asyncio.sleep(0.1)
        assert warmed.size == len(BODIES["Patient/p1"])

    asyncio.run(run())


def test_the_newer_reading_takes_the_place_of_the_older() -> None:
    newer: Bodies = {"Observation": Raw(b"{}")}
    warmed = kept(Who(), newer, warmed=kept(Who()), now=NOW + 50)
    assert found(Who(), warmed, NOW + 50) == newer
    assert warmed.size == 2


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    warmed = Warmed(100)
    for number in range(4):
        kept(Who(patient=f"p{number}"), {"Patient": Raw(b" " * 40)}, warmed=warmed)
    assert [bool(found(Who(patient=f"p{number}"), warmed)) for number in range(4)] == [False, False, True, True]
    kept(Who(patient="p9"), {"Patient": Raw(b" " * 101)}, warmed=warmed)
    assert not found(Who(patient="p9"), warmed)
    assert found(Who(patient="p3"), warmed)


def test_without_a_user_or_a_token_nothing_is_kept() -> None:
    for who in (Who(user=""), Who(token="")):
        assert who.asks(Warmed(), Hook.ORDER_SELECT, NOW) is NOTHING
        assert who.asks(kept(Who()), Hook.ORDER_SIGN, NOW) is NOTHING


def test_F3_the_token_is_not_in_it() -> None:
    warmed = kept(Who())
    assert TOKEN not in repr(vars(warmed))
    assert TOKEN.encode().hex() not in repr(vars(warmed))
    assert "Patient" not in repr(Who().asks(warmed, Hook.ORDER_SIGN, NOW))
