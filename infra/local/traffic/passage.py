"""One request's way through the proxy: what is known of it, and what it is answered when it fails."""

from dataclasses import dataclass, field
from time import perf_counter
from time import time as wall_clock

from infra.local.runtime.contract import LogEntry
from infra.local.traffic import affinity, answers
from infra.local.traffic.routes import Choice
from infra.local.traffic.trace import Trace
from infra.local.traffic.wire.downstream import Downstream
from infra.local.traffic.wire.exchange import Exchange
from infra.local.traffic.wire.request import Fields, Request


@dataclass(slots=True)
class Passage:  # pylint: disable=too-many-instance-attributes  # all that a log entry says
    """One request, from its head to the end of its response.

    `verified` is whether it was let in by its token, `reached` whether an instance was given to it, `problem`
    why it got no answer of one.
    """

    request: Request
    client: Downstream
    choice: Choice
    trace: Trace
    verified: bool = False
    reached: bool = False
    status: int = 0
    sent: int = 0
    instance: str = ""
    problem: str = ""
    exchange: Exchange | None = None
    time: float = field(default_factory=wall_clock)
    started: float = field(default_factory=perf_counter)

    def begin(self) -> Exchange:
        """Lead the client's connection to a new exchange."""
        added: Fields = [(b"x-cloud-trace-context", self.trace.cloud)]
        if self.choice.sticky and self.instance != self.choice.instance:
            added.append((b"set-cookie", affinity.cookie(self.choice.revision_key, self.instance)))
        self.exchange = Exchange(self.request, self.client, added)
        self.client.lead(self.exchange)
        return self.exchange

    def fail(self, status: int, problem: str, *, why: str = "") -> None:
        """Answer in the instance's place; a response that has begun can only be broken off."""
        self.problem = problem
        if self.exchange is not None and self.exchange.began:
            self.request.keep_alive = False
            if self.exchange.open_ended:
                self.client.reset()
            else:
                self.client.close()
            return
        self.status = status
        self.request.keep_alive = self.request.keep_alive and self.request.complete
        said = answers.answer(status, self.request, why=why)
        self.sent = len(said)
        self.client.write(said)
        self.client.flush()

    def entry(self, seconds: float) -> LogEntry:
        """The request log's entry, with the members of google.logging.type.HttpRequest."""
        project = self.choice.revision_key.split("/", 2)[1]
        severity = "ERROR" if self.status >= 500 else "WARNING" if self.status >= 400 else "INFO"
        sent = self.sent + (self.exchange.sent if self.exchange is not None else 0)
        return LogEntry(
            self.choice.revision_key,
            "requests",
            self.problem,
            self.time,
            severity,
            {
                "httpRequest": _http_request(self.request, self.client.peer, self.status, sent, seconds),
                "spanId": f"{self.trace.span:016x}",
                "traceSampled": self.trace.sampled,
                "instanceId": self.instance,
            },
            f"projects/{project}/traces/{self.trace.id}",
        )


def _http_request(request: Request, peer: str, status: int, sent: int, seconds: float) -> dict[str, object]:
    """As JSON has it: sizes are with heads, and texts, as they are 64 bits wide."""
    host = _text(request.get(b"host")) or request.host
    made: dict[str, object] = {
        "requestMethod": _text(request.method),
        "requestUrl": f"http://{host}{_text(request.target)}",
        "requestSize": str(request.size + request.received),
        "status": status,
        "responseSize": str(sent),
        "userAgent": _text(request.get(b"user-agent")),
        "remoteIp": peer,
        "latency": f"{seconds:.6f}s",
        "protocol": f"HTTP/{request.version}",
    }
    if referer := request.get(b"referer"):
        made["referer"] = _text(referer)
    return made


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
