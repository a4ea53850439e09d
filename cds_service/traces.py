"""OpenTelemetry traces, for operators who ask for them (setting ``traces``): a span for each call and one for each
stage of it, drawn when the call is over from the times that it has kept anyhow. Off, they cost nothing.

No identifier but the call's own: hook, client, status, X-Request-Id. Where they go is said by OpenTelemetry's own
variables (OTEL_EXPORTER_OTLP_ENDPOINT ...). A client that sends ``traceparent`` finds its call in its own trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING

from cds_service.course import Course
from cds_service.settings import Settings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE = "baclofen-cds"


@dataclass(frozen=True, slots=True)
class Traces:
    provider: TracerProvider

    @classmethod
    def of(cls, settings: Settings, version: str) -> Traces | None:
        """None when they are not wanted. Raises ``SettingsError`` when they are and the libraries are not there."""
        if not settings.traces:
            return None
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError:
            raise SettingsError(
                "traces (BACLOFEN_CDS_TRACES): OpenTelemetry is not installed; install baclofen-cds[traces]"
            ) from None
        provider = TracerProvider(resource=Resource.create({"service.name": SERVICE, "service.version": version}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    def call(self, course: Course, hook: str, status: int, traceparent: str) -> None:
        """A call that is over. ``traceparent`` as the client sent it; anything else than one is ignored."""
        from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        tracer = self.provider.get_tracer(SERVICE)
        zero = time_ns() - perf_counter_ns()
        about = {"cds.hook": hook, "cds.client": course.client, "cds.request_id": course.request_id}
        whole = tracer.start_span(
            f"hook call {hook}",
            TraceContextTextMapPropagator().extract({"traceparent": traceparent}),
            SpanKind.SERVER,
            {**about, "http.response.status_code": status},
            start_time=zero + course.begun,
        )
        if status >= 500:
            whole.set_status(StatusCode.ERROR)
        inside = set_span_in_context(whole)
        for stage, begin, end in course.stages():
            tracer.start_span(stage.value, inside, start_time=zero + begin).end(zero + end)
        whole.end(zero + perf_counter_ns())

    def close(self) -> None:
        """What is not sent yet is sent, for some seconds at most."""
        self.provider.shutdown()
