"""What an environment is told: one model for all stacks, with a default for whatever they have in common.

A stack's file holds only what differs from the defaults here. What may differ between environments at all is
``DIFFERING``: ``python -m infra.settings`` holds the stack files to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

ENVIRONMENTS: Final = ("development", "test", "staging", "acceptance", "production")
"""From the first to the last that a release meets."""

PROMOTES: Final = {"production": "acceptance"}
"""The environment whose digest another one takes: production runs what acceptance ran, and nothing else."""

NAMESPACE: Final = "shipway"
"""Of the configuration keys, and the Pulumi project's name."""

Allows = Callable[[Any], bool]

DIGEST_REFERENCE: Final = re.compile(r"[a-z0-9.\-]+(:[0-9]+)?(/[a-zA-Z0-9._\-]+)+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value may be: a sentence for a user, and a test of a value that has the right type."""

    text: str
    allows: Allows = lambda _: True


def _matches(pattern: str) -> Allows:
    return lambda value: re.fullmatch(pattern, value) is not None


def _between(least: float, most: float) -> Allows:
    return lambda value: least <= value <= most


def _whole_split(split: dict[str, int]) -> bool:
    return sum(split.values()) == 100 and min(split.values(), default=0) >= 0


def _emails(values: tuple[str, ...]) -> bool:
    return all(re.fullmatch(r"[^@\s]+@[^@\s]+", value) for value in values)


def _variables(values: dict[str, str]) -> bool:
    return all(re.fullmatch(r"[A-Z][A-Z0-9_]*", name) for name in values)


Image = Annotated[str, Rule("an image by digest (HOST/PATH@sha256:...)", _matches(DIGEST_REFERENCE.pattern))]
Sha256 = Annotated[str, Rule("a SHA-256, 64 hexadecimal digits", _matches(r"(sha256:)?[0-9a-f]{64}"))]
Cpu = Annotated[str, Rule("1, 2, 4 or 8 CPUs", _matches(r"[1248]|[1248]000m"))]
Memory = Annotated[str, Rule("a quantity such as 512Mi or 2Gi", _matches(r"[0-9]+(Mi|Gi)"))]
Share = Annotated[float, Rule("a share from 0 to 1", _between(0, 1))]


@dataclass(frozen=True, slots=True)
class Release:
    """What is delivered. The pipeline sets it; production takes it from acceptance instead."""

    image: Image
    commit: Annotated[
        str,
        Rule(
            "the full git commit, 40 hexadecimal digits, -dirty after it if files differed; or unknown",
            _matches(r"[0-9a-f]{40}(-dirty)?|unknown"),
        ),
    ]
    model: Sha256
    data: Sha256


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many instances serve."""

    min: Annotated[int, Rule("a whole number from 0 to 100", _between(0, 100))] = 0
    max: Annotated[int, Rule("a whole number from 1 to 1000", _between(1, 1000))] = 3


@dataclass(frozen=True, slots=True)
class Protection:
    """What keeps an environment from being deleted, and from strangers."""

    protect: Annotated[bool, Rule("true or false: whether Pulumi and Cloud Run refuse to delete")] = False
    retain: Annotated[bool, Rule("true or false: whether what leaves the program stays in the cloud")] = False
    public: Annotated[bool, Rule("true or false: whether anybody may call the service")] = False


@dataclass(frozen=True, slots=True)
class Container:
    """What one instance of the service gets."""

    cpu: Cpu = "1"
    memory: Memory = "1Gi"
    concurrency: Annotated[int, Rule("requests at once, 1 to 1000", _between(1, 1000))] = 40
    timeout: Annotated[int, Rule("seconds for a request, 1 to 3600", _between(1, 3600))] = 30
    port: Annotated[int, Rule("a port, 1 to 65535", _between(1, 65535))] = 8080


@dataclass(frozen=True, slots=True)
class Alerts:
    """When somebody is told: of 5xx, of slow answers, of drift, and of decisions that a human must take.

    ``collector`` is the sidecar of Managed Service for Prometheus, by digest; without it Google gets no
    numbers of the service's own, and nobody is told of drift.
    """

    errors: Share = 0.01
    latency: Annotated[int, Rule("95th percentile in milliseconds, from 1", _between(1, 3_600_000))] = 500
    drift: Annotated[float, Rule("a population stability index, from 0", _between(0, 100))] = 0.25
    doubt: Share = 0.4
    collector: Image | None = None
    emails: Annotated[tuple[str, ...], Rule("a list of e-mail addresses", _emails)] = ()


@dataclass(frozen=True, slots=True)
class Training:
    """The job that trains a model. ``image`` None: the release's own."""

    image: Image | None = None
    bucket: Annotated[
        str | None,
        Rule(
            "a bucket with the training data, seen at /data", _matches(r"[a-z0-9][a-z0-9._\-]{1,61}[a-z0-9]")
        ),
    ] = None
    table: Annotated[str, Rule("the table's path", _matches(r"/\S+"))] = "/data/train.csv"
    cpu: Cpu = "2"
    memory: Memory = "2Gi"
    timeout: Annotated[int, Rule("seconds, 1 to 86400", _between(1, 86400))] = 1800
    retries: Annotated[int, Rule("a whole number from 0 to 10", _between(0, 10))] = 1


@dataclass(frozen=True, slots=True)
class Budget:
    """A month's money. ``account`` None: no budget, as nobody but its owner knows a billing account."""

    account: Annotated[
        str | None, Rule("a billing account, XXXXXX-XXXXXX-XXXXXX", _matches(r"[0-9A-F]{6}(-[0-9A-F]{6}){2}"))
    ] = None
    amount: Annotated[int, Rule("a whole number of the currency, from 1", _between(1, 10**9))] = 50
    currency: Annotated[str, Rule("a currency's three letters, the account's own", _matches(r"[A-Z]{3}"))] = (
        "EUR"
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All that one environment is told. ``release`` None: its foundation is laid, and nothing runs yet."""

    name: Annotated[
        str,
        Rule(
            "3 to 20 lower-case letters, digits and dashes, first a letter",
            _matches(r"[a-z][a-z0-9\-]{1,18}[a-z0-9]"),
        ),
    ] = "loan-decisions"
    formerly: Annotated[tuple[str, ...], Rule("a list of names that the service had before")] = ()
    region: Annotated[
        str, Rule("a region of Cloud Run, such as europe-west1", _matches(r"[a-z]+-[a-z]+[0-9]+"))
    ] = "europe-west1"
    release: Annotated[Release | None, Rule("an object with image, commit, model and data")] = None
    scaling: Annotated[
        Scaling, Rule("an object with min and max, min not above max", lambda v: v.min <= v.max)
    ] = field(default_factory=Scaling)
    traffic: Annotated[dict[str, int], Rule("percents by revision or `latest`, 100 in all", _whole_split)] = (
        field(default_factory=lambda: {"latest": 100})
    )
    protection: Annotated[Protection, Rule("an object with protect, retain and public")] = field(
        default_factory=Protection
    )
    invokers: Annotated[
        tuple[str, ...],
        Rule(
            "a list of principals, such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com",
            lambda v: all(":" in member for member in v),
        ),
    ] = ()
    secrets: Annotated[
        dict[str, str],
        Rule("an object of secret values by environment variable (--secret --path secrets.NAME)", _variables),
    ] = field(default_factory=dict, repr=False)
    container: Annotated[Container, Rule("an object with cpu, memory, concurrency, timeout and port")] = (
        field(default_factory=Container)
    )
    alerts: Annotated[Alerts, Rule("an object with errors, latency, drift, doubt, collector and emails")] = (
        field(default_factory=Alerts)
    )
    training: Annotated[
        Training, Rule("an object with image, bucket, table, cpu, memory, timeout and retries")
    ] = field(default_factory=Training)
    github: Annotated[
        str | None, Rule("the repository that may deploy, OWNER/NAME", _matches(r"[\w.\-]+/[\w.\-]+"))
    ] = None
    budget: Annotated[Budget, Rule("an object with account, amount and currency")] = field(
        default_factory=Budget
    )


DIFFERING: Final = ("protection", "scaling", "traffic")
"""What environments may differ in by design."""

DELIVERED: Final = ("release", "secrets")
"""What differs with time and place: the release under way, and the values (never the names) of secrets."""
