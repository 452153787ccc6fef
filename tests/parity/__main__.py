"""`make parity`: ask the corpus, compare, and say where answers differ.

With Dagger's own engine at hand (``_EXPERIMENTAL_DAGGER_RUNNER_HOST`` and its `dagger`) both are asked; else
the embedded engine's answers are compared with those on record.
"""

import argparse
import fnmatch
import json
import os
import sys
import tempfile
from pathlib import Path

import anyio

from tests.parity import record
from tests.parity.answer import Answer
from tests.parity.corpus import ROOMS
from tests.parity.engines import BASE, EMBEDDED, REAL, Asker, real_cli, session
from tests.parity.likeness import alike
from tests.sessions import client

Answers = dict[tuple[str, str], Answer]


def main() -> int:
    """Exit code 0: every answer is as expected, or a difference that is accounted for."""
    arguments = _arguments()
    wanted = [
        (room, name)
        for room, pipelines in ROOMS.items()
        for name in pipelines
        if fnmatch.fnmatch(f"{room}: {name}", arguments.only)
    ]
    with_real = real_cli(os.environ) is not None and not arguments.recorded
    expected = _answers(REAL, wanted, arguments) if with_real else record.expectations(wanted)
    if arguments.record and with_real:
        record.write(expected)
    given = _answers(EMBEDDED, wanted, arguments)
    unexplained = _report(given, expected)
    asked = "Dagger's own engine" if with_real else "answers on record"
    print(f"\n{len(wanted)} pipelines beside {asked}: {unexplained} differ without an account of why.")
    return 1 if unexplained else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="*", help='"ROOM: NAME", with * in it')
    parser.add_argument("--base-image", metavar="REF", default=BASE, help="a reference, or oci-archive:PATH")
    parser.add_argument(
        "--record", action="store_true", help="keep the real engine's answers as expectations"
    )
    parser.add_argument("--recorded", action="store_true", help="compare with the record, whatever there is")
    parser.add_argument("--at-once", metavar="N", type=int, default=6, help="pipelines at a time [6]")
    return parser.parse_args()


def _answers(engine: str, wanted: list[tuple[str, str]], arguments: argparse.Namespace) -> Answers:
    async def ask() -> Answers:
        async with client(at) as dag:
            return await Asker(dag, at, workdir, arguments.base_image).ask_all(
                wanted, at_once=arguments.at_once
            )

    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(folder).resolve()
        with session(engine, workdir) as started:
            at = started.connection
            return anyio.run(ask)


def _report(given: Answers, expected: Answers) -> int:
    accounts = record.accounts()
    unexplained = 0
    for (room, name), answer in sorted(given.items()):
        wanted = expected.get((room, name))
        if wanted is not None and alike(answer, wanted):
            continue
        account = accounts.get(f"{room}: {name}")
        unexplained += account is None
        print(f"\n{room}: {name}" + (f"  (known: {account})" if account else ""))
        if account is None:
            print(f"  expected {json.dumps(wanted, ensure_ascii=False)}")
            print(f"  answered {json.dumps(answer, ensure_ascii=False)}")
    return unexplained


if __name__ == "__main__":
    sys.exit(main())
