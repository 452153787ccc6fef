"""Runs inside a container: asks a service a known case and compares the answer.

Usage: ask.py URL CASE. Standard library only. CASE is JSON: ``path`` and ``request`` to post, and what is
``expected`` in the answer: by name, numbers to within ``tolerance``.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

READY_SECONDS = 60.0
PAUSE_SECONDS = 0.1


def get(url: str, body: Any = None, *, host: str | None = None, token: str = "") -> Any:
    """The JSON that a URL answers, to a GET or, with a body, to a POST; ``host`` is asked for by name."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    headers |= {"Host": host} if host else {}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, data, headers)  # noqa: S310  # http
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def wait_until_ready(url: str, seconds: float = READY_SECONDS, *, host: str | None = None) -> None:
    """Ask `/readyz` until it answers.

    Raises:
        TimeoutError: it doesn't in time; the text has its last answer.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            get(f"{url}/readyz", host=host)
        except (OSError, ValueError) as error:
            if time.monotonic() > until:
                raise TimeoutError(f"{url}/readyz is not ready after {seconds:.0f} s: {error}") from None
            time.sleep(PAUSE_SECONDS)
        else:
            return


def differences(expected: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What of the answer is not as expected, a line each."""
    tolerance = expected.get("tolerance", 0.0)
    found = []
    for name, wanted in expected.items():
        got = answer.get(name)
        if isinstance(wanted, float) and isinstance(got, int | float):
            same = abs(wanted - got) <= tolerance
        else:
            same = wanted == got
        if not same and name != "tolerance":
            found.append(f"{name}: expected {wanted!r}, got {got!r}")
    return found


def main(url: str, path: str) -> int:
    """Ask, compare and say so; 1 when the answer is another."""
    case = json.loads(Path(path).read_text(encoding="utf-8"))
    try:
        wait_until_ready(url)
        answer = get(f"{url}{case['path']}", case["request"])
    except urllib.error.HTTPError as error:
        print(
            f"{case['path']} answered {error.code}: {error.read().decode(errors='replace')}", file=sys.stderr
        )
        return 1
    except OSError as error:
        print(f"The service cannot be asked: {error}", file=sys.stderr)
        return 1
    if wrong := differences(case["expected"], answer):
        print("\n".join(["The known case has another answer:", *wrong]), file=sys.stderr)
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
