"""A fresh clone of this project, with caches of its own: what a newcomer has."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone in ``folder``; its engine state and package caches are in ``caches``, empty at first."""

    folder: Path
    caches: Path

    @classmethod
    def make(cls, below: Path) -> "Clone":
        """Clone what is committed."""
        folder = below / "shipway"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
        return cls(folder, below / "caches")

    def run(self, *command: str | Path) -> str:
        """Run a command in the clone; returns what it printed, and raises with it if it fails."""
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("DAGGER_", "VIRTUAL_"))
        }
        environ |= {
            "SHIPWAY_STATE": str(self.caches / "engine"),
            "XDG_CACHE_HOME": str(self.caches),
            "UV_CACHE_DIR": str(self.caches / "uv"),
            "PIP_NO_CACHE_DIR": "1",
        }
        ran = subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            words = " ".join(map(str, command))
            raise SystemExit(f"{words} ended with exit code {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    def seconds(self, *command: str | Path) -> float:
        """How long a command takes, in seconds of wall time."""
        started = time.perf_counter()
        self.run(*command)
        return time.perf_counter() - started
