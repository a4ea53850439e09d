"""What nobody should send: requests torn, doubled, nested and filled with odd values; and what every answer must be."""

from __future__ import annotations

import json
import re

import httpx
from hypothesis import strategies as st

from tests.conformance.calls import Json, active, assert_refused, chart, order_sign, search, severe
from tests.conformance.scenarios import SCENARIOS
from tests.properties.service import put, walk

CANARY = "canary-4711"
"""In every torn request: no refusal may repeat it."""

_ODD_NUMBERS = (
    "NaN",
    "-Infinity",
    "-0",
    "-0.0",
    "1e400",
    "-1e-400",
    "1E999999999",
    "9" * 400,
    "0.1e+1",
    "00",
    "+1",
    ".5",
)
_ODD_TEXTS = (
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u202e"', '"\x7f"', '"\xff"', '"' + "é" * 500 + '"', '"\\x"', "''",
    '"<script>alert(1)</script>"', '"](javascript:alert(1))"', '"{{context.patientId}}"', '"${jndi:ldap://x/y}"',
    '"../../etc/passwd"', '"Patient/../../x"', '"http://169.254.169.254/"', '"\' OR 1=1 --"', '"%s%n"', '"\\r\\nx: y"',
)  # fmt: skip
_ODD_SHAPES = (
    "[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300, "[" * 2000, '{"resourceType":"Bundle"}', "[null]", "{}",
    "[]", '{"a":1,"a":2}', '{"":""}', '{"resourceType":{"x":1}}', "[[],[{}]]", "null", "true", "",
)  # fmt: skip
ODD = st.sampled_from((*_ODD_NUMBERS, *_ODD_TEXTS, *_ODD_SHAPES)) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=12), inside, max_size=4),
    max_leaves=8,
).map(json.dumps)
"""JSON, or what looks like it."""

SEEDS: tuple[Json, ...] = (
    severe(),
    order_sign(prefetch=chart(medications=search(active("m1", {"text": CANARY})))),
    *SCENARIOS.values(),
)
_PLACE = "@place@"


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request with odd values in one to three places."""
    request = draw(st.sampled_from(SEEDS))
    text = json.dumps(request)
    for _ in range(draw(st.integers(1, 3))):
        ways = [path for path, _ in walk(request)]
        request = put(request, draw(st.sampled_from(ways)), _PLACE)
        text = json.dumps(request).replace(f'"{_PLACE}"', draw(ODD))
        try:
            request = json.loads(text)
        except (ValueError, RecursionError):
            break
        if not isinstance(request, dict):
            break
    return text.encode("utf-8", "surrogatepass")


_PIECES = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\\",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\u",
    b"1e",
    b"null",
    b" ",
)


@st.composite
def torn(draw: st.DrawFn, seeds: tuple[Json, ...] = SEEDS) -> bytes:
    """The bytes of a request cut, doubled, swapped and sprinkled."""
    text = json.dumps(draw(st.sampled_from(seeds))).replace("p1", CANARY).encode()
    for _ in range(draw(st.integers(1, 4))):
        at, to = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        match draw(st.integers(0, 4)):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:to] + text[at:to] + text[to:]
            case 2:
                text = text[:at] + draw(st.sampled_from(_PIECES)) + text[at:]
            case 3:
                text = text[:at] + draw(st.binary(max_size=8)) + text[at + 4 :]
            case _:
                text = text[to:] + text[:at]
    return text


_NAMES = st.sampled_from(
    b"""content-type content-length content-encoding transfer-encoding accept accept-encoding authorization origin host
    expect x-request-id x-forwarded-for x-forwarded-host forwarded connection cookie access-control-request-method
    access-control-request-headers if-none-match range traceparent upgrade""".split()
)
_USUAL = b"""application/json text/html gzip chunked identity 0 -1 null * http://localhost:9 https://evil.example
    evil.example 100-continue bytes=0-1""".split()
_LONG = (b"", b"5, 5", b"application/json; charset=utf-16", b"Bearer " + CANARY.encode(), b"9" * 30, b"x" * 9000)
_VALUES = st.sampled_from((*_USUAL, *_LONG)) | st.binary(max_size=40).map(
    lambda text: re.sub(rb"[\x00-\x1f\x7f]", b"", text)
)
HEADERS = st.lists(st.tuples(_NAMES, _VALUES), max_size=6)
PATHS = st.sampled_from(
    f"""/cds-services /cds-services/baclofen-safety /cds-services/baclofen-safety/feedback /healthz /readyz /metrics
    /openapi.json /docs /content /insights /insights?since=x /insights?{CANARY}={CANARY} /insights?format=csv
    /workbench /workbench/patients/{CANARY} /workbench/assets/..%2f{CANARY} /workbench/fhir/Patient/{CANARY}
    /workbench/fhir/Observation?patient={CANARY} /workbench/chart /workbench/prefetch /workbench/markdown / // /%00
    /{CANARY} /cds-services/{CANARY} /cds-services/%2e%2e/x /cds-services/baclofen-safety?hook=x
    /cds-services/baclofen-safety;x /CDS-SERVICES""".split()
)
METHODS = st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "X"))

FEEDBACK: tuple[Json, ...] = (
    {"feedback": [{"card": CANARY, "outcome": "accepted", "acceptedSuggestions": [{"id": CANARY}],
                   "outcomeTimestamp": "2026-11-24T10:00:00Z"}]},
    {"feedback": [{"card": CANARY, "outcome": "overridden", "outcomeTimestamp": "2026-11-24T10:00:00+01:00",
                   "overrideReason": {"reason": {"code": "x", "system": "urn:x"}, "userComment": CANARY}}]},
    {"feedback": [{"card": "1", "outcome": "overridden", "overrideReasons": [{"extension": {"x": CANARY}}]}] * 3},
)  # fmt: skip


def assert_sound(response: httpx.Response, *statuses: int) -> None:
    """One of the answers that the guide lists, whole, and nothing of the request in a refusal."""
    assert response.status_code in statuses, (response.status_code, response.text)
    assert response.headers["x-request-id"]
    assert response.headers["cache-control"] == "no-store"
    assert "traceback" not in response.text.lower()
    if response.status_code >= 400 and response.request.method != "HEAD":
        assert_refused(response, response.status_code, CANARY)
