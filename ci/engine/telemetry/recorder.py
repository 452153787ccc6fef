"""Events as spans and log records of the OpenTelemetry SDK, with ids of the engine's own."""

import logging
import os
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from ci.engine.events import STREAMS, Event, StepEnded, StepOutput, StepStarted
from ci.engine.telemetry.endpoints import Endpoints
from ci.engine.telemetry.progress import Progress
from ci.engine.trace import Command, Place

SCOPE = "dagger.io/core"
QUEUE = 65_536  # spans, or pieces of output, that wait for an endpoint that is slow
MODULES = {
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http",
    "grpc": "opentelemetry.exporter.otlp.proto.grpc",
}


class Recorder:
    """Records events as they come from one thread, and hands them to the exporters."""

    def __init__(self, endpoints: Endpoints, progress: Progress) -> None:
        _heard(progress)
        resource = Resource.create(_resource())
        self._ids = _Ids()
        self._spans: dict[str, Span] = {}
        self._tracers = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        if endpoints.traces:
            exporter = _Answering(_exporter(endpoints.traces, "trace_exporter", "OTLPSpanExporter"), progress)
            self._tracers.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE))
        self._tracer = self._tracers.get_tracer(SCOPE)
        self._loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
        if endpoints.logs:
            to = _exporter(endpoints.logs, "_log_exporter", "OTLPLogExporter")
            self._loggers.add_log_record_processor(BatchLogRecordProcessor(to, max_queue_size=QUEUE))
        self._logger = self._loggers.get_logger(SCOPE)

    def record(self, when: int, event: Event) -> None:
        """Record an event of ``when``, in nanoseconds since 1970."""
        match event:
            case StepStarted(place=Place() as place) if place.sampled:
                self._spans[event.id] = self._begin(event.name, place, event.id, when, dict(event.attributes))
            case StepOutput(id=id_) if id_ in self._spans:
                self._log(when, self._spans[id_], event)
            case StepEnded(id=id_) if id_ in self._spans:
                _finish(self._spans.pop(id_), event, when)

    def command(self, command: Command, began: int, ended: int) -> None:
        """Record the span around all others."""
        span = self._begin(command.name, command.place, command.span, began, {})
        if command.exit_code:
            span.set_status(Status(StatusCode.ERROR, f"exit status {command.exit_code}"))
        elif command.exit_code == 0:
            span.set_status(Status(StatusCode.OK))
        span.end(ended)

    def close(self) -> None:
        """Have everything exported."""
        self._tracers.shutdown()
        self._loggers.shutdown()

    def _begin(self, name: str, place: Place, span: str, when: int, attributes: dict[str, Any]) -> Span:
        self._ids.trace, self._ids.span = int(place.trace, 16), int(span, 16)
        around = trace.set_span_in_context(NonRecordingSpan(_context(place))) if place.span else None
        return self._tracer.start_span(name, around, attributes=attributes, start_time=when)

    def _log(self, when: int, span: Span, output: StepOutput) -> None:
        self._logger.emit(
            LogRecord(
                timestamp=when,
                context=trace.set_span_in_context(span),
                body=output.data.decode(errors="replace"),
                attributes={"stdio.stream": STREAMS.index(output.stream) + 1},
            )
        )


class _Ids(IdGenerator):
    """Gives the ids that it was told last."""

    trace = 1
    span = 1

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


class _Answering(SpanExporter):
    """An exporter that tells when its endpoint has taken something."""

    def __init__(self, exporter: SpanExporter, progress: Progress) -> None:
        self._exporter = exporter
        self._progress = progress

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._progress.answered.set()
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Ear(logging.Handler):
    """Hears what the SDK has to say about a failed export; one warning is enough for a user."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.fail(record.getMessage())


def _heard(progress: Progress) -> None:
    logger = logging.getLogger("opentelemetry")
    logger.handlers[:] = [_Ear(progress)]
    logger.propagate = False


def _exporter(protocol: str, module: str, name: str) -> Any:
    package = MODULES.get(protocol)
    if package is None:
        raise ValueError(f'OTEL_EXPORTER_OTLP_PROTOCOL is "{protocol}"; it may be {" or ".join(MODULES)}')
    try:
        return getattr(import_module(f"{package}.{module}"), name)()
    except ModuleNotFoundError as error:
        raise ValueError(f"{protocol} needs the package {package.replace('.', '-')}: {error}") from None


def _resource() -> dict[str, str]:
    attributes = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in attributes
    return {"service.version": version("dagger-io")} | ({} if named else {"service.name": "dagger-engine"})


def _context(place: Place) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if place.sampled else TraceFlags.DEFAULT)
    return SpanContext(int(place.trace, 16), int(place.span, 16), is_remote=True, trace_flags=flags)


def _finish(span: Span, event: StepEnded, when: int) -> None:
    span.set_attributes(dict(event.attributes))
    if event.cached:
        span.set_attribute("dagger.io/dag.cached", value=True)
    if event.canceled:
        span.set_attribute("dagger.io/dag.canceled", value=True)
    if event.error is not None:
        span.set_status(Status(StatusCode.ERROR, event.error))
    else:
        span.set_status(Status(StatusCode.OK))
    span.end(when)
