"""``python -m infra.settings``: what environments differ in; exit code 1 if that is more than they may."""

import argparse
import sys
from pathlib import Path

from infra.settings.differences import PLACE, differences, read_environments, table
from infra.settings.model import DELIVERED, DIFFERING
from infra.settings.reading import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when the environments differ only in what they may, 1 otherwise, 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="python -m infra.settings", description=__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(__file__).parents[1],
        help="folder of the stack files (default: infra)",
    )
    options = parser.parse_args(arguments)
    try:
        environments = read_environments(options.folder)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    found = differences(environments)
    print(table(environments, found))
    wrong = [difference.key for difference in found if not difference.allowed]
    if wrong:
        allowed = ", ".join((PLACE, *DIFFERING, *DELIVERED[:1]))
        print(
            f"error: environments differ in {', '.join(wrong)}; they may in {allowed} alone.", file=sys.stderr
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
