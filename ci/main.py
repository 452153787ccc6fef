"""Entry point of the pipeline: `python ci/main.py [STAGE...]`, with any Python; `--help` says more."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / ".venv" / "bin" / "python"


def enter_environment() -> None:
    """Go on in the project's virtual environment when this interpreter lacks what the pipeline needs."""
    if importlib.util.find_spec("typer") and importlib.util.find_spec("anyio"):
        return
    if not OURS.exists() or Path(sys.prefix) == OURS.parent.parent:
        sys.exit("shipway: the environment in .venv is missing or incomplete. Run `make setup`.")
    os.execv(OURS, [str(OURS), *sys.argv])  # noqa: S606  # this same program, with its own interpreter


def main() -> None:
    """Run the command line."""
    enter_environment()
    sys.path[0] = str(ROOT)  # was this folder, whose modules are `ci.something`
    from ci.cli import app

    app(prog_name="ci/main.py")


if __name__ == "__main__":
    main()
