"""Where the pipeline delivers to: an environment, its project, and the cloud that both are in."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENVIRONMENTS = ("development", "test", "staging", "acceptance", "production")
LOCAL, GOOGLE = "local", "google"
#: The environment whose image another one runs: it takes what was accepted, and gets none pushed.
PROMOTES = {"production": "acceptance"}
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105  # a variable's name
BACKEND = "PULUMI_BACKEND_URL"
TOKEN = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105  # a variable's name
CLOUDS = (LOCAL, GOOGLE)
_STARTING = 90  # seconds


class BadTarget(Exception):
    """What was asked for cannot be delivered to; the text says why and what to do."""


class NoCloud(Exception):
    """The cloud on this machine did not start; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to deliver to.

    `commit` is what is checked out, "unknown" outside of git; `cloud` is "google", or "local": one on this
    machine, that is started when it is needed. `state` is the folder where Pulumi on this machine keeps its
    stacks; `approved` is a plan that `preview` made, and the only one that is carried out.
    """

    environment: str = "staging"
    cloud: str = LOCAL
    commit: str = "unknown"
    state: Path | None = None
    approved: Path | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a cloud on this machine answers: host:port of its API, of its services and of its registry.

    `variables` lead Google's provider there.
    """

    api: str
    services: str
    registry: str
    variables: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> "Addresses":
        """Read the line that `python -m infra.local up --json` prints. Raises NoCloud."""
        try:
            found: Mapping[str, Any] = json.loads(text)
            api, services = (found[key].removeprefix("http://") for key in ("endpoint", "front"))
            return cls(api, services, found["registry"], found["variables"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NoCloud(f"the cloud on this machine said {text[:200]!r} instead of its addresses") from None


def check(environment: str, cloud: str) -> None:
    """Raise BadTarget unless there are such an environment and such a cloud."""
    if environment not in ENVIRONMENTS:
        raise BadTarget(f"--env {environment}: the environments are {', '.join(ENVIRONMENTS)}.")
    if cloud not in CLOUDS:
        raise BadTarget(f"--cloud {cloud}: the clouds are {' and '.join(CLOUDS)}.")


def start_local(root: Path) -> Addresses:
    """Start the cloud on this machine unless it is up already. It outlives this process. Raises NoCloud."""
    command = [sys.executable, "-m", "infra.local", "up", "--detach", "--json"]
    try:
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=False, timeout=_STARTING
        )
    except subprocess.TimeoutExpired:
        raise NoCloud(f"the cloud on this machine did not start within {_STARTING} s") from None
    if done.returncode:
        reason = done.stderr.strip().removeprefix("infra.local: ") or f"exit code {done.returncode}"
        raise NoCloud(f"the cloud on this machine did not start: {reason}")
    return Addresses.parse(done.stdout)


def commit(root: Path) -> str:
    """The commit that is checked out, with "-dirty" when files differ from it; "unknown" without git."""
    if not (git := shutil.which("git")):
        return "unknown"
    command = [git, "describe", "--always", "--abbrev=40", "--exclude", "*", "--dirty"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def state(environ: Mapping[str, str]) -> Path:
    """The folder of Pulumi's state on this machine, which holds `.pulumi`.

    Raises BadTarget when the variable for it names something else than a folder.
    """
    url = environ.get(BACKEND, "file://~")
    path = url.removeprefix("file://")
    if path == url or not path:
        raise BadTarget(
            f"{BACKEND}={url}: the pipeline keeps Pulumi's state in a folder. Set it to file://PATH."
        )
    return Path(path).expanduser().absolute()
