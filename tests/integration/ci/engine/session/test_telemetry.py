"""OpenTelemetry: what an endpoint is told of a session."""

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

pytestmark = pytest.mark.embedded

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
EXEC = '{container{withRootfs(directory:DIRECTORY){withExec(args:["sh","-c","%s"]){stdout}}}}'
WARNING = "WARN - failures detected while emitting telemetry. trace information incomplete"


@dataclass
class Collector:
    """What an OTLP endpoint was sent."""

    url: str
    spans: list[Span] = field(default_factory=list)
    logs: list[tuple[str, str, int]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def take_spans(self, request: ExportTraceServiceRequest) -> None:
        """Take an export in."""
        for resource in request.resource_spans:
            self.services |= {
                a.value.string_value for a in resource.resource.attributes if a.key == "service.name"
            }
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def take_logs(self, request: ExportLogsServiceRequest) -> None:
        """Take an export in: (span, text, stream)."""
        for resource in request.resource_logs:
            for scope in resource.scope_logs:
                self.logs += [
                    (r.span_id.hex(), r.body.string_value, r.attributes[0].value.int_value)
                    for r in scope.log_records
                ]

    def span(self, name: str) -> Span:
        """The one span whose name starts like that."""
        [found] = [span for span in self.spans if span.name.startswith(name)]
        return found


def attributes(span: Span) -> dict[str, object]:
    """A span's attributes that are one value."""
    kinds = {a.key: a.value.WhichOneof("value") for a in span.attributes}
    return {a.key: getattr(a.value, kinds[a.key]) for a in span.attributes}


@contextmanager
def over_http() -> Iterator[Collector]:
    """An endpoint that speaks HTTP."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.headers.append(dict(self.headers))
            if self.path == "/v1/traces":
                collector.take_spans(ExportTraceServiceRequest.FromString(body))
            elif self.path == "/v1/logs":
                collector.take_logs(ExportLogsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()


@contextmanager
def over_grpc() -> Iterator[Collector]:
    """An endpoint that speaks gRPC."""
    server = grpc.server(futures.ThreadPoolExecutor(1))

    def export(request: ExportTraceServiceRequest, _context: object) -> ExportTraceServiceResponse:
        collector.take_spans(request)
        return ExportTraceServiceResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        export, ExportTraceServiceRequest.FromString, ExportTraceServiceResponse.SerializeToString
    )
    name = "opentelemetry.proto.collector.trace.v1.TraceService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
    collector = Collector(f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    server.start()
    yield collector
    server.stop(None)


@pytest.fixture
def run(dagger, environ, client, root):
    """Run a query as `dagger run` does; returns what it printed and how long the end of it took."""

    def run(query: str, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [dagger, "run", *options, sys.executable, client, str(root), query]
        return subprocess.run(
            command,
            env=environ | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(("protocol", "listening"), [("http/protobuf", over_http), ("grpc", over_grpc)])
def test_each_operation_is_a_span_below_the_call_that_asked_for_it(run, protocol, listening):
    with listening() as collector:
        done = run(
            EXEC % f"echo {protocol}; exit 3",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            TRACEPARENT=f"00-{TRACE}-{SPAN}-01",
        )
        assert done.returncode == 1
        assert "WARN" not in done.stderr
    command, call = collector.span("dagger run"), collector.span("Container.stdout")
    step = collector.span("withExec sh -c")
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert command.parent_span_id.hex() == SPAN
    assert call.parent_span_id == command.span_id
    assert step.parent_span_id == call.span_id
    assert (step.status.code, step.status.message) == (Status.STATUS_CODE_ERROR, "exit code: 3")
    assert command.status.code == Status.STATUS_CODE_ERROR
    assert collector.span("Container.withExec").status.code == Status.STATUS_CODE_OK
    assert str(attributes(step)["dagger.io/dag.digest"]).startswith("sha256:")
    assert command.start_time_unix_nano <= step.start_time_unix_nano <= step.end_time_unix_nano
    assert collector.services == {"dagger-engine"}


def test_a_step_is_cached_whatever_trace_it_is_in_and_its_span_says_so(run):
    with over_http() as collector:
        for _ in range(2):
            answer = run(EXEC % "echo $TRACEPARENT; #cached", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    ran, cached = [span for span in collector.spans if span.name.startswith("withExec")]
    assert f"00-{ran.trace_id.hex()}-{ran.span_id.hex()}-01" in answer.stdout  # as it was when it ran
    assert "dagger.io/dag.cached" not in attributes(ran)
    assert attributes(cached)["dagger.io/dag.cached"] is True
    assert ran.trace_id != cached.trace_id
    assert attributes(ran)["dagger.io/dag.digest"] == attributes(cached)["dagger.io/dag.digest"]


SDK = """
import anyio, dagger, sys
from dagger.telemetry import get_tracer

async def main():
    async with dagger.connection():
        with get_tracer().start_as_current_span("my stage"):
            await dagger.dag.host().directory(sys.argv[1]).entries()

anyio.run(main)
"""


def test_a_span_of_the_sdks_is_below_the_command_and_above_what_is_asked_for_in_it(
    dagger, environ, root, tmp_path
):
    (tmp_path / "stage.py").write_text(SDK)
    with over_http() as collector:
        done = subprocess.run(
            [dagger, "run", sys.executable, tmp_path / "stage.py", root],
            env=environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    command, stage = collector.span("dagger run"), collector.span("my stage")
    assert stage.parent_span_id == command.span_id
    assert collector.span("Host.directory").parent_span_id == stage.span_id
    assert collector.span("Directory.entries").parent_span_id == stage.span_id


def test_what_steps_print_is_exported_where_logs_have_an_endpoint_and_no_secret_is_anywhere(run):
    query = """{
      set: setSecret(name:"token", plaintext:"hunter2hunter2"){id}
      one: container{withRootfs(directory:DIRECTORY){
        withExec(args:["sh","-c","echo to out; echo to err >&2; echo hunter2hunter2; exit 3"]){stdout}}}
    }"""
    with over_http() as collector:
        run(
            query,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{collector.url}/v1/logs",
            OTEL_EXPORTER_OTLP_HEADERS="x-team=us",
        )
    step = collector.span("withExec sh -c 'echo to out; echo to err >&2; echo ***; exit 3'")
    assert {(span, stream) for span, _, stream in collector.logs} == {(step.span_id.hex(), n) for n in (1, 2)}
    assert "".join(text for _, text, stream in collector.logs if stream == 2) == "to err\n"
    assert all(headers["x-team"] == "us" for headers in collector.headers)
    engine = [span for span in collector.spans if not span.name.startswith("dagger run")]
    assert "hunter2" not in "".join(map(str, engine))


def test_an_endpoint_that_is_not_there_costs_one_warning(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        done = run("{version}", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 0
    assert done.stderr.count(WARNING) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_endpoint_that_never_answers_costs_a_second(run):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        run("{version}", "--progress", "quiet")
        without = time.monotonic() - began
        began = time.monotonic()
        done = run("{version}", OTEL_EXPORTER_OTLP_ENDPOINT=address)
        took = time.monotonic() - began
    assert done.stderr.count(WARNING) == 1
    assert took < 3 * without + 2  # the SDK's import, and a second


def test_nothing_of_opentelemetry_is_imported_where_no_endpoint_is_named():
    script = "import sys, ci.engine.telemetry.exporting, ci.engine.session; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "opentelemetry" not in done.stdout
