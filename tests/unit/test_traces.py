"""Traces: off unless wanted, and nothing in them that names anybody."""

from __future__ import annotations

import json
import sys
from time import perf_counter_ns
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cds_service.course import Course, Stage
from cds_service.settings import SettingsError, load
from cds_service.traces import Traces

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def course() -> Course:
    begun = perf_counter_ns() - 10_000_000
    ends = [(Stage.PARSE, begun + 1_000_000), (Stage.RULES, begun + 4_000_000)]
    return Course("0b7e5f9c-64c1-4c9b-9e0b-6a0c3f3b6d11", "north", begun=begun, ends=ends)


def spans(status: int = 200, traceparent: str = "") -> tuple[ReadableSpan, dict[str, ReadableSpan]]:
    """The call, and its stages by name."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    Traces(provider).call(course(), "order-sign", status, traceparent)
    *stages, whole = kept.get_finished_spans()
    return whole, {span.name: span for span in stages}


def lasted(span: ReadableSpan) -> int:
    assert span.start_time
    assert span.end_time
    return span.end_time - span.start_time


def test_a_span_for_the_call_and_one_for_each_stage() -> None:
    whole, stages = spans()
    assert whole.name == "hook call order-sign"
    assert lasted(whole) >= 10_000_000
    assert {name: lasted(span) for name, span in stages.items()} == {"parse": 1_000_000, "rules": 3_000_000}
    assert {span.parent.span_id for span in stages.values() if span.parent} == {whole.context.span_id}
    assert stages["rules"].start_time == stages["parse"].end_time


def test_nothing_else_is_said_of_it() -> None:
    whole, stages = spans()
    assert dict(whole.attributes or {}) == {
        "cds.hook": "order-sign",
        "cds.client": "north",
        "cds.request_id": "0b7e5f9c-64c1-4c9b-9e0b-6a0c3f3b6d11",
        "http.response.status_code": 200,
    }
    assert [dict(span.attributes or {}) for span in stages.values()] == [{}, {}]


@pytest.mark.parametrize(("status", "error"), [(200, False), (412, False), (500, True)])
def test_an_error_of_ours_is_one(status: int, *, error: bool) -> None:
    assert (spans(status)[0].status.status_code.name == "ERROR") is error


def test_it_stands_in_the_trace_of_the_client() -> None:
    whole, _ = spans(traceparent=f"00-{TRACE}-{PARENT}-01")
    assert f"{whole.context.trace_id:032x}" == TRACE
    assert whole.parent
    assert f"{whole.parent.span_id:016x}" == PARENT


@pytest.mark.parametrize("sent", ["", "jane-doe", f"00-{TRACE}-{PARENT}", f"00-{'0' * 32}-{PARENT}-01"])
def test_what_is_no_traceparent_is_ignored(sent: str) -> None:
    whole, _ = spans(traceparent=sent)
    assert whole.parent is None
    assert "jane" not in json.dumps(json.loads(whole.to_json()))


def test_off_by_default() -> None:
    assert Traces.of(load(mode="sandbox"), "1") is None


def test_without_the_libraries_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"traces .*not installed; install baclofen-cds\[traces\]"):
        Traces.of(load(mode="sandbox", traces=True), "1")


def test_they_go_where_opentelemetry_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a collector that is not there: what cannot be sent is given up."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    traces = Traces.of(load(mode="sandbox", traces=True), "1")
    assert traces
    resource: dict[str, Any] = dict(traces.provider.resource.attributes)
    assert (resource["service.name"], resource["service.version"]) == ("baclofen-cds", "1")
    traces.call(course(), "order-sign", 200, "")
    traces.close()
