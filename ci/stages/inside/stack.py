"""Runs inside a container: brings a Pulumi stack to what is wished for, and keeps its state in two places.

Usage: stack.py foundation|preview|deploy. Reads /in/wish.json: ``stack``; ``service`` and ``repository``,
their URLs in Google's APIs; ``release``, what is to run (image, commit, model, data), or none where the stack
takes another one's; ``sources``, a digest of the program. An approved plan is in /in/plan.json. Pulumi's own
state is in /state, a volume; /here has that of the machine that the pipeline was started on, and /out/state
is what it gets back. Writes /out/answer.json, and a preview's plan to /out/plan.json. Standard library only.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

IN, OUT, STATE, HERE = Path("/in"), Path("/out"), Path("/state"), Path("/here")
TOKEN = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105  # a variable's name


class Failed(Exception):
    """Pulumi did not do it, and has said why; or a cloud did not answer."""


def main(action: str) -> int:
    """Do it, and write the answer; 1 when it could not be done."""
    wish = json.loads((IN / "wish.json").read_text(encoding="utf-8"))
    (OUT / "state").mkdir(parents=True, exist_ok=True)
    try:
        answer = {"foundation": foundation, "preview": preview, "deploy": deploy}[action](wish)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    (OUT / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    return 0


def foundation(wish: dict[str, Any]) -> dict[str, Any]:
    """Bring up a stack without a release, unless its repository is there."""
    if look(wish["repository"]) is not None:
        return {"changed": False}
    with shared_state(wish["stack"]):
        select(wish["stack"])
        pulumi("up", "--yes", "--skip-preview", "--refresh", "--stack", wish["stack"])
    return {"changed": True}


def preview(wish: dict[str, Any]) -> dict[str, Any]:
    """What an update would do, and the plan of it."""
    with shared_state(wish["stack"]):
        select(wish["stack"])
        release(wish)
        pulumi("preview", "--diff", "--save-plan", str(OUT / "plan.json"), "--stack", wish["stack"])
    return {"planned": True}


def deploy(wish: dict[str, Any]) -> dict[str, Any]:
    """Update the stack, unless it is what it should be and its service has not been touched since."""
    note = STATE / "deployed" / f"{wish['stack']}.json"
    known = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    found = look(wish["service"]) or {}
    changed = known.get("wish") != wish or not settled(found) or known.get("etag") != found.get("etag")
    if changed:
        outputs = update(wish)
        found = look(wish["service"]) or {}
        known = {"wish": wish, "etag": found.get("etag"), "outputs": outputs}
        note.parent.mkdir(exist_ok=True)
        note.write_text(json.dumps(known), encoding="utf-8")
    outputs = known["outputs"]
    return {
        "changed": changed,
        "revision": found.get("latestReadyRevision", "").rpartition("/")[2],
        "url": outputs["service_url"],
        "image": outputs["image"],
        "commit": outputs["commit"],
    }


def update(wish: dict[str, Any]) -> dict[str, Any]:
    """Bring the stack to the wish; its outputs. Raises Failed."""
    plan = ["--plan", str(IN / "plan.json")] if (IN / "plan.json").exists() else ["--refresh"]
    with shared_state(wish["stack"]):
        select(wish["stack"])
        release(wish)
        pulumi("up", "--yes", "--skip-preview", *plan, "--stack", wish["stack"])
        outputs: dict[str, Any] = json.loads(pulumi("stack", "output", "--json", "--stack", wish["stack"]))
    return outputs


def settled(found: dict[str, Any]) -> bool:
    """Whether a service is ready, and nothing is under way."""
    ready = found.get("terminalCondition", {}).get("state") == "CONDITION_SUCCEEDED"
    return ready and found.get("generation") == found.get("observedGeneration")


def select(stack: str) -> None:
    """Make the stack if there is none."""
    pulumi("stack", "select", "--create", stack)


def release(wish: dict[str, Any]) -> None:
    """Tell the stack what to run; one that takes another one's is told nothing."""
    if wish.get("release"):
        pairs = [f"release.{name}={value}" for name, value in sorted(wish["release"].items())]
        words = [word for pair in pairs for word in ("--plaintext", pair)]
        pulumi("config", "set-all", "--path", *words, "--stack", wish["stack"])


def pulumi(*words: str) -> str:
    """Run Pulumi; what it printed, which is shown as well. Raises Failed."""
    program = (
        [shutil.which("pulumi")] if shutil.which("pulumi") else [sys.executable, "-m", "infra.engine.cli"]
    )
    environ = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{STATE}",
        "PULUMI_HOME": str(STATE / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    command = [*program, *words, "--non-interactive"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101  # asked for with PIPE
        said = []
        for line in process.stdout:
            said.append(line)
            print(line, end="", file=sys.stderr, flush=True)
    if process.returncode:
        raise Failed(f"`pulumi {' '.join(words[:2])}` ended with exit code {process.returncode}.")
    return "".join(said)


def look(url: str) -> dict[str, Any] | None:
    """A resource of Google's, as JSON; none if it is not there. Raises Failed."""
    token = os.environ.get(TOKEN, "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        # An API that is not enabled yet has no such resource either.
        if error.code in {403, 404}:
            return None
        raise Failed(f"{url} answered {error.code}: {error.read().decode(errors='replace')[:500]}") from None
    except OSError as error:
        raise Failed(f"{url} cannot be asked: {error}") from None


@contextmanager
def shared_state(stack: str) -> Iterator[None]:
    """Run Pulumi on a stack in the block: from the newer state of each stack, and this one is handed back."""
    project = name_of(Path("Pulumi.yaml").read_text(encoding="utf-8"))
    for theirs in HERE.glob(f".pulumi/stacks/{project}/*.json"):
        if written(theirs) > written(STATE / theirs.relative_to(HERE)):
            copy(project, theirs.stem, HERE, STATE)
    try:
        yield
    finally:
        # Nothing else: the other stacks of that machine may have gone on meanwhile.
        copy(project, stack, STATE, OUT / "state")


def name_of(program: str) -> str:
    """The name of a program, by its Pulumi.yaml."""
    return next(line.partition(":")[2].strip() for line in program.splitlines() if line.startswith("name:"))


def copy(project: str, stack: str, source: Path, target: Path) -> None:
    """Copy all that Pulumi keeps of a stack; the checkpoint last, when what it speaks of is there."""
    kept = [f for kind in ("history", "backups") for f in source.glob(f".pulumi/{kind}/{project}/{stack}/*")]
    checkpoint = sorted(source.glob(f".pulumi/stacks/{project}/{stack}.json*"), reverse=True)
    for file in (*source.glob(".pulumi/meta.yaml*"), *kept, *checkpoint):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, place)


def written(checkpoint: Path) -> str:
    """When a checkpoint was written, in ISO 8601 and UTC; "" for one that can't be read."""
    try:
        state = json.loads(checkpoint.read_text(encoding="utf-8"))
        return str(state["checkpoint"]["latest"]["manifest"]["time"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
