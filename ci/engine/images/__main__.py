"""`python -m ci.engine.images base-image REFERENCE FILE` writes a base image as an archive for any engine."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from ci.engine.images.archive import write_archive
from ci.engine.images.errors import ImageError
from ci.engine.images.images import Images
from ci.engine.images.reference import parse_reference
from ci.engine.state import StateError, folder
from ci.engine.store.blobs import Blobs, StoreError, room


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _base_image(options.reference, options.file, options.platform)
    except (ImageError, StoreError, StateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or options.file}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ci.engine.images", description="Images without a registry.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    base = commands.add_parser(
        "base-image",
        help="write a base image as an OCI archive",
        description="Write an image as an OCI archive (`docker load` takes it too). Without a registry, "
        "python:3.X[-slim] and debian:SUITE[-slim] are put together from Debian packages.",
    )
    base.add_argument("reference", metavar="REFERENCE", help="the image's name, such as python:3.11-slim")
    base.add_argument("file", metavar="FILE", type=Path, help="where to write the archive")
    base.add_argument("--platform", default="linux/amd64", help="what it is to run on (%(default)s)")
    return parser


def _base_image(text: str, file: Path, platform: str) -> None:
    reference = parse_reference(text)
    state = folder()
    blobs = Blobs(state / "blobs")
    images = Images(state, blobs, progress=lambda line: print(line, file=sys.stderr))
    image = anyio.run(images.resolve, reference, platform)
    fresh = file.with_name(f".{file.name}.new")
    try:
        # A reader finds the whole archive or none.
        with room(file.parent), fresh.open("wb") as dest:
            write_archive([image], blobs, dest, reference=reference)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    print(
        f"{file}: {reference.familiar} for {image.platform}, {file.stat().st_size >> 20} MiB", file=sys.stderr
    )


if __name__ == "__main__":
    sys.exit(main())
