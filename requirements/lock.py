"""Lock what pyproject.toml's groups ask for: one hash-locked file each, and a check that they are fresh.

`make lock` writes them. Every file starts with a digest of what it was locked from, so that `--check`
tells a stale one without asking a package registry.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

#: File name -> the dependency groups in it. The first is resolved with everything in it, and holds the others
#: to its versions, so that any two of them can be installed side by side.
LOCKS: dict[str, tuple[str, ...]] = {
    "everything.txt": ("pipeline", "cloud", "provisioner", "train", "test", "lint", "installer", "infra"),
    "workshop.txt": ("pipeline", "cloud", "provisioner", "infra", "train", "test", "lint", "installer"),
    "pipeline.txt": ("pipeline", "cloud"),
    "provision.txt": ("provisioner", "infra"),
    "serve.txt": ("serve",),
    "train.txt": ("train",),
    "installer.txt": ("installer",),
    "infra.txt": ("infra",),
}
CONSTRAINT = "everything.txt"
PYTHON = "3.11"
HEADER = "# Locked by `make lock` from pyproject.toml: do not edit. Inputs sha256:"


def declared(groups: dict[str, list[Any]], name: str) -> list[str]:
    """The requirements of one PEP 735 group, with the groups that it includes."""
    found: list[str] = []
    for item in groups[name]:
        found += [item] if isinstance(item, str) else declared(groups, item["include-group"])
    return sorted(found)


def inputs_digest(project: dict[str, Any], file: str) -> str:
    """What a lock file was made from, as one hexadecimal SHA-256."""
    groups = project["dependency-groups"]
    inputs = {name: declared(groups, name) for name in LOCKS[file]}
    return hashlib.sha256(json.dumps([PYTHON, inputs], sort_keys=True).encode()).hexdigest()


def lock(project: dict[str, Any], file: str, *, upgrade: bool) -> None:
    """Resolve one lock file; keeps the versions that it has unless ``upgrade``."""
    target = ROOT / "requirements" / file
    groups = [word for name in LOCKS[file] for word in ("--group", name)]
    constraint = [] if file == CONSTRAINT else ["--constraints", f"requirements/{CONSTRAINT}"]
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", PYTHON]
    command += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--no-annotate", "--output-file", str(target), *groups, *constraint]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [*command, *(["--upgrade"] if upgrade else [])],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        check=True,
    )
    header = f"{HEADER}{inputs_digest(project, file)}\n"
    target.write_text(header + target.read_text(encoding="utf-8"), encoding="utf-8")


def stale(project: dict[str, Any]) -> list[str]:
    """The lock files that are missing, or were made from other requirements than pyproject.toml has now."""
    found = []
    for file in LOCKS:
        path = ROOT / "requirements" / file
        first = path.read_text(encoding="utf-8").partition("\n")[0] if path.exists() else ""
        if first != f"{HEADER}{inputs_digest(project, file)}":
            found.append(file)
    return found


def main() -> int:
    """Lock, or with ``--check`` only say what is stale (exit 1 when something is)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which lock files are stale")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions allowed")
    arguments = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if arguments.check:
        for file in (old := stale(project)):
            print(f"requirements/{file} is stale: pyproject.toml asks for something else; run `make lock`")
        return 1 if old else 0
    for file in LOCKS:
        lock(project, file, upgrade=arguments.upgrade)
        print(f"locked requirements/{file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
