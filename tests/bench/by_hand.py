"""The pipeline's work done by hand: the same tools as plain processes, no containers, nothing kept."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.bench.clone import Clone

PYTHON = ".venv/bin/python"
PORT = "18080"
LINT = (
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
    ("-m", "pylint", "app"),
    ("-m", "pylint", "ci"),
    ("-m", "mypy", "app", "ci"),
)
TEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/app", "--cov")
TRAIN = ("-m", "app.training", "--data", "app/data/loanapp.csv", "--output", "build/by-hand")


def setup(clone: Clone) -> None:
    """What has to be installed to do it all."""
    clone.run("requirements/setup.sh", "workshop")


def everything(clone: Clone) -> None:
    """Lint, test and train side by side, then start the service and ask it the known case."""
    _side_by_side(clone, *LINT, TEST, TRAIN)
    smoke(clone)


def after_a_change_of_serving(clone: Clone) -> None:
    """What someone who knows the code would run again."""
    _side_by_side(clone, *LINT, TEST)
    smoke(clone)


def smoke(clone: Clone) -> None:
    """Start the service as a process, and ask it."""
    with _service(clone):
        case = "build/by-hand/known_case.json"
        clone.run(PYTHON, "ci/stages/inside/ask.py", f"http://127.0.0.1:{PORT}", case)


def _side_by_side(clone: Clone, *commands: tuple[str, ...]) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda command: clone.run(PYTHON, *command), commands))


@contextmanager
def _service(clone: Clone):
    command = [Path(PYTHON), "-m", "app.serving", "--port", PORT, "--model", "build/by-hand"]
    with subprocess.Popen(command, cwd=clone.folder, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
