"""An OCI archive is read for its digest and sizes."""

import io
import json
import tarfile

import pytest

from ci.stages.inside import inspect_image

DIGEST = "sha256:" + "a" * 64
INDEX = "sha256:" + "b" * 64
MANIFEST = {"layers": [{"size": 10}, {"size": 5}], "config": {}}


@pytest.fixture
def archive(tmp_path):
    def make(documents):
        path = tmp_path / "image.tar"
        with tarfile.open(path, "w") as tar:
            for name, document in documents.items():
                content = json.dumps(document).encode()
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return str(path)

    return make


def blob(digest):
    return "blobs/" + digest.replace(":", "/")


def test_the_digest_is_that_of_the_manifest_and_sizes_are_added_up(archive, tmp_path):
    path = archive({"index.json": {"manifests": [{"digest": DIGEST}]}, blob(DIGEST): MANIFEST})
    inspect_image.main(path, str(tmp_path / "out/image.json"))
    assert json.loads((tmp_path / "out/image.json").read_text()) == {
        "digest": DIGEST,
        "layers": 2,
        "bytes": 15,
    }


def test_an_index_of_one_platform_is_looked_into(archive):
    path = archive(
        {
            "index.json": {"manifests": [{"digest": INDEX}]},
            blob(INDEX): {"manifests": [{"digest": DIGEST}]},
            blob(DIGEST): MANIFEST,
        }
    )
    assert inspect_image.inspect(path)["digest"] == DIGEST
