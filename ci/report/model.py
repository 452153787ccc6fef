"""What a run did, as plain values that every view is made from."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_CREDENTIALS = re.compile(r"(?<=://)[^/\s:@]*(:[^/\s@]*)?@")


def without_credentials(text: str) -> str:
    """The text, with what stands before the @ of a URL left out."""
    return _CREDENTIALS.sub("***@", text)


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A command that failed; ``output`` has the last lines it wrote, by stream."""

    command: str
    exit_code: int
    output: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage failed, in a user's words.

    ``again`` is a shell command that runs this stage by itself. ``engine``: the stage could not be judged,
    since the engine or the machine did not do its part.
    """

    message: str
    again: str
    steps: tuple[FailedStep, ...] = ()
    engine: bool = False


@dataclass(frozen=True, slots=True)
class StageReport:
    """How one stage ended. ``cached`` is none when the stage has nothing that could come from a cache."""

    name: str
    summary: str
    status: str
    seconds: float = 0.0
    cached: bool | None = None
    because: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None

    @property
    def source(self) -> str:
        """Whether it ran or came from the cache, in a word."""
        if self.status not in {"passed", "failed"} or self.cached is None:
            return ""
        return "cached" if self.cached else "ran"


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended: times in seconds, ``started`` in ISO 8601 and UTC, paths as the user gave them."""

    started: str
    seconds: float
    exit_code: int
    stages: tuple[StageReport, ...]
    artifacts: Mapping[str, str] = field(default_factory=dict)
    revision: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything that was to run has passed."""
        return self.exit_code == 0

    @property
    def gate(self) -> list[dict[str, Any]]:
        """The gate's table, if it was made."""
        return list(self._fact("gate") or [])

    @property
    def metrics(self) -> dict[str, float]:
        """The model's metrics, flat: dotted name -> number."""
        return dict(sorted(_flat(self._fact("metrics") or {})))

    @property
    def image(self) -> dict[str, Any]:
        """Digest, layers and bytes of the image, if it was built."""
        return dict(self._fact("image") or {})

    @property
    def service(self) -> dict[str, Any]:
        """URL, revision, digest and commit of the service, if it was deployed and verified."""
        return dict(self._fact("service") or {})

    def as_json(self) -> dict[str, Any]:
        """The whole report as JSON values."""
        return asdict(self)

    def _fact(self, name: str) -> Any:
        return next((stage.facts[name] for stage in self.stages if name in stage.facts), None)


def _flat(value: Any, prefix: str = "") -> list[tuple[str, float]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{prefix}.{key}".lstrip("."))]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [(prefix, float(value))]
    return []
