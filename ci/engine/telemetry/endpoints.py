"""Where telemetry goes: the standard OTEL_ variables, read as Dagger's CLI reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_HTTP = "http/protobuf"  # the default, as the specification of the exporter has it


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The protocol for each signal ("http/protobuf" or "grpc"); None for one that is not exported.

    The exporters read the addresses, headers and certificates from the environment themselves.
    """

    traces: str | None = None
    logs: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is exported."""
        return bool(self.traces or self.logs)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment.

        Logs only where an endpoint is named for them: one that takes traces need not know them.
        """
        if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return cls()

        def protocol(signal: str, *endpoints: str) -> str | None:
            silent = environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() == "none"
            if silent or not any(environ.get(name) for name in endpoints):
                return None
            asked = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL")
            asked = asked or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or _HTTP
            return _HTTP if asked == "http" else asked

        return cls(
            protocol("TRACES", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            protocol("LOGS", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"),
        )
