"""Runs inside a container: asks a deployed service the known case, and whether it is what was deployed.

Usage: verify.py URL ADDRESS API. URL is the service's own; ADDRESS, when it is not empty, is the host:port at
which it is found from here. Reads expected.json and known_case.json beside it. Standard library only.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
from pathlib import Path
from typing import Any

import ask  # type: ignore[import-not-found]  # pylint: disable=import-error  # beside this file, in there

TOKEN = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105  # a variable's name


def main(url: str, address: str, api: str) -> int:
    """Ask, compare, and print JSON of what answered; 1 when it is not what it should be."""
    folder = Path(__file__).parent
    case = json.loads((folder / "known_case.json").read_text(encoding="utf-8"))
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    parts = urllib.parse.urlsplit(url)
    base = f"{parts.scheme}://{address}" if address else url
    host = parts.netloc if address else None
    try:
        ask.wait_until_ready(base, host=host)
        wrong = ask.differences(
            case["expected"], ask.get(f"{base}{case['path']}", case["request"], host=host)
        )
        said = ask.get(f"{base}/version", host=host)
        revision = f"{expected['name']}/revisions/{expected['revision']}"
        stored = ask.get(f"{api}/v2/{revision}", token=os.environ.get(TOKEN, ""))
    except urllib.error.HTTPError as error:
        print(f"{error.url} answered {error.code}: {error.read().decode(errors='replace')}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The service at {url} cannot be asked: {error}", file=sys.stderr)
        return 1
    if wrong := [*wrong, *disagreements(expected, said, stored)]:
        print("\n".join([f"The service at {url} is not what was deployed:", *wrong]), file=sys.stderr)
        return 1
    digest = expected["image"].rpartition("@")[2]
    print(json.dumps({"revision": expected["revision"], "digest": digest, "commit": said["revision"]}))
    return 0


def disagreements(expected: dict[str, Any], said: dict[str, Any], stored: dict[str, Any]) -> list[str]:
    """What the service says of itself, or Cloud Run of its revision, that is not what was deployed."""
    seen = {
        "the service's revision": (expected["revision"], said["deployment"]["revision"]),
        "the service's image": (expected["image"], said["deployment"]["image"]),
        "the service's commit": (expected["commit"], said["revision"]),
        "Cloud Run's image": (expected["image"], stored["containers"][0]["image"]),
    }
    return [
        f"{what}: expected {wanted!r}, got {got!r}" for what, (wanted, got) in seen.items() if wanted != got
    ]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
