"""Where telemetry goes, by the standard variables."""

import pytest

from ci.engine.telemetry.endpoints import Endpoints

TRACES, LOGS = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
BOTH, PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"


@pytest.mark.parametrize(
    ("environ", "traces", "logs"),
    [
        ({}, None, None),
        ({PROTOCOL: "grpc"}, None, None),
        ({TRACES: "http://x"}, "http/protobuf", None),
        ({BOTH: "http://x"}, "http/protobuf", None),
        ({BOTH: "http://x", PROTOCOL: "grpc"}, "grpc", None),
        ({BOTH: "http://x", PROTOCOL: "http"}, "http/protobuf", None),
        ({LOGS: "http://x"}, None, "http/protobuf"),
        ({BOTH: "http://x", LOGS: "http://y"}, "http/protobuf", "http/protobuf"),
        ({BOTH: "http://x", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "grpc", None),
        ({BOTH: "http://x", "OTEL_TRACES_EXPORTER": "none"}, None, None),
        ({BOTH: "http://x", "OTEL_SDK_DISABLED": "true"}, None, None),
    ],
)
def test_each_signal_is_exported_as_its_variables_say(environ, traces, logs):
    assert Endpoints.of(environ) == Endpoints(traces, logs)
    assert bool(Endpoints.of(environ)) == bool(traces or logs)
