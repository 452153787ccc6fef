"""Runs inside a container: reads an OCI archive and writes the image's digest and sizes as JSON.

Usage: inspect_image.py ARCHIVE JSON. Standard library only. Layout: the OCI image layout specification.
"""

import json
import sys
import tarfile
from pathlib import Path
from typing import Any


def read(archive: tarfile.TarFile, name: str) -> Any:
    """The JSON document of that name in an archive."""
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is not a file in the archive")
    return json.load(member)


def inspect(path: str) -> dict[str, Any]:
    """Digest, layer count and compressed size in bytes of the one image in an OCI archive."""
    with tarfile.open(path) as archive:
        digest = read(archive, "index.json")["manifests"][0]["digest"]
        manifest = read(archive, f"blobs/{digest.replace(':', '/')}")
        while "manifests" in manifest:  # an index of one platform
            digest = manifest["manifests"][0]["digest"]
            manifest = read(archive, f"blobs/{digest.replace(':', '/')}")
    layers = manifest["layers"]
    return {"digest": digest, "layers": len(layers), "bytes": sum(layer["size"] for layer in layers)}


def main(archive: str, output: str) -> None:
    """Inspect an archive and write what was found."""
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    Path(output).write_text(json.dumps(inspect(archive)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
