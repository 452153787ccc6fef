"""`make bench`: measure a fresh clone and the local cloud, and write docs/benchmarks.md (ten minutes)."""

import argparse
import tempfile
from pathlib import Path

from tests.bench import cloud, engine, page, pipeline, pulumi
from tests.bench.clone import ROOT

PAGE = ROOT / "docs/benchmarks.md"
TITLES = [pipeline.PART.title, engine.PART.title, cloud.PART.title, pulumi.PART.title]


def main() -> None:
    """Measure, write the page and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", choices=["pipeline", "engine", "cloud", "pulumi"], help="measure this part; the others stay"
    )
    parser.add_argument(
        "--image", type=Path, help="the service's image, as an OCI archive, for the cloud by itself"
    )
    options = parser.parse_args()
    measured = {}
    with tempfile.TemporaryDirectory(prefix="shipway-bench-") as folder:
        below, image = Path(folder), options.image or ROOT / "build/pipeline/image.oci.tar"
        if options.only in {None, "engine"}:
            measured[engine.PART.title] = engine.PART.text(engine.measure(below))
        if options.only in {None, "pipeline"}:
            measured[pipeline.PART.title] = pipeline.PART.text(pipeline.measure(below))
            image = options.image or pipeline.image(below)
        if options.only in {None, "cloud"}:
            if not image.is_file():
                parser.error(f"there is no image at {image}: run `make pipeline`, or give one with --image")
            measured[cloud.PART.title] = cloud.PART.text(cloud.measure(below, image.absolute()))
        if options.only in {None, "pulumi"}:
            measured[pulumi.PART.title] = pulumi.PART.text(pulumi.measure(below))
    print(page.write(PAGE, TITLES, measured))


if __name__ == "__main__":
    main()
