"""Archives are read as other tools write them, and written so that other tools read them."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from dataclasses import replace

import pytest

from ci.engine.images import (
    BrokenImage,
    Image,
    ImageConfig,
    ImageNotFound,
    Member,
    UnsupportedPlatform,
    pack,
    parse_reference,
    read_archive,
    write_archive,
)
from ci.engine.store.blobs import Blobs


@pytest.fixture
def image(blobs) -> Image:
    layer = pack([Member("hello", size=5, open=lambda: io.BytesIO(b"hello"))], blobs)
    return Image(ImageConfig(env=("A=1",), cmd=("/hello",)), (layer,), annotations=(("note", "kept"),))


@pytest.fixture
def elsewhere(tmp_path) -> Blobs:
    return Blobs(tmp_path / "elsewhere")


def written(images, blobs, path, **options):
    with path.open("wb") as dest:
        write_archive(images, blobs, dest, **options)
    return path


def contents(path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar if info.isfile()}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_was_written_is_read(image, blobs, elsewhere, tmp_path):
    path = written([image], blobs, tmp_path / "a.tar")
    again = read_archive(path, elsewhere)
    assert replace(again, digest=None) == image
    assert elsewhere.has(image.layers[0].digest)


def test_the_same_image_gives_the_same_bytes(image, blobs, elsewhere, tmp_path):
    path = written([image], blobs, tmp_path / "a.tar")
    copy = read_archive(path, elsewhere)
    assert written([copy], elsewhere, tmp_path / "b.tar").read_bytes() == path.read_bytes()


def test_an_image_that_is_not_changed_keeps_its_digest(image, blobs, tmp_path):
    read = read_archive(written([image], blobs, tmp_path / "a.tar"), blobs)
    changed = replace(read, config=replace(read.config, user="1"))
    names = [
        json.loads(contents(written([each], blobs, tmp_path / "x.tar"))["index.json"])["manifests"][0][
            "digest"
        ]
        for each in (read, changed)
    ]
    assert names[0] == read.digest
    assert names[1] != read.digest


def test_docker_load_finds_its_manifest(image, blobs, tmp_path):
    files = contents(written([image], blobs, tmp_path / "a.tar", reference=parse_reference("app:1")))
    (entry,) = json.loads(files["manifest.json"])
    assert entry["RepoTags"] == ["app:1"]
    assert json.loads(files[entry["Config"]])["config"]["Cmd"] == ["/hello"]
    assert [f"sha256:{sha(files[layer])}" for layer in entry["Layers"]] == [image.layers[0].digest]


def test_docker_media_types_on_request(image, blobs, elsewhere, tmp_path):
    path = written([image], blobs, tmp_path / "a.tar", media_types="docker")
    (entry,) = json.loads(contents(path)["index.json"])["manifests"]
    assert entry["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    (layer,) = read_archive(path, elsewhere).layers
    assert layer.media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip"


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_a_variant_is_picked_by_platform(image, blobs, tmp_path, platform):
    path = written([image, replace(image, platform="linux/arm64")], blobs, tmp_path / "a.tar")
    assert read_archive(path, blobs, platform=platform).platform == platform
    with pytest.raises(UnsupportedPlatform, match="linux/amd64, linux/arm64"):
        read_archive(path, blobs, platform="linux/s390x")


@pytest.mark.parametrize("tag", ["1", "app:1", "docker.io/library/app:1"])
def test_an_image_is_found_by_its_tag(image, blobs, tmp_path, tag):
    path = written([image], blobs, tmp_path / "a.tar", reference=parse_reference("app:1"))
    assert read_archive(path, blobs, tag).config == image.config


def test_a_tag_that_is_not_there_is_named_with_those_that_are(image, blobs, tmp_path):
    path = written([image], blobs, tmp_path / "a.tar", reference=parse_reference("app:1"))
    with pytest.raises(ImageNotFound, match=r"'2'.*app:1"):
        read_archive(path, blobs, "2")


def test_an_archive_may_be_compressed_as_a_whole(image, blobs, tmp_path):
    path = written([image], blobs, tmp_path / "a.tar")
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read_archive(path, blobs).config == image.config


def test_an_unpacked_layout_is_read(image, blobs, elsewhere, tmp_path):
    shutil.unpack_archive(written([image], blobs, tmp_path / "a.tar"), tmp_path / "layout")
    assert read_archive(tmp_path / "layout", elsewhere).config == image.config


def docker_save(path, tar, *, damage: bool = False):
    """What `docker save` wrote before version 25: a folder for each layer, links where two are the same."""
    layer = tar(("hello", b"hello")).getvalue()
    diff_id = f"sha256:{sha(layer)}"
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["x"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id, diff_id]},
    }
    raw = json.dumps(config).encode()
    layers = ["one/layer.tar", "two/layer.tar"]
    manifest = [{"Config": f"{sha(raw)}.json", "RepoTags": ["app:1"], "Layers": layers}]
    path.write_bytes(
        tar(
            (f"{sha(raw)}.json", raw),
            ("one/layer.tar", layer + b"x" * 512 if damage else layer),
            ("two/layer.tar", "->../one/layer.tar"),
            ("manifest.json", json.dumps(manifest).encode()),
        ).getvalue()
    )
    return path, diff_id


def test_an_old_docker_save_archive_is_read(tar, blobs, tmp_path):
    path, diff_id = docker_save(tmp_path / "a.tar", tar)
    image = read_archive(path, blobs, "1")
    assert [layer.digest for layer in image.layers] == [diff_id, diff_id]
    assert image.config.cmd == ("x",)


def test_a_layer_other_than_its_configuration_says_is_refused(tar, blobs, tmp_path):
    path, diff_id = docker_save(tmp_path / "a.tar", tar, damage=True)
    with pytest.raises(BrokenImage, match=diff_id):
        read_archive(path, blobs)


def test_a_damaged_blob_is_named(image, blobs, elsewhere, tmp_path):
    path = written([image], blobs, tmp_path / "a.tar")
    data = bytearray(path.read_bytes())
    data[data.index(b"\x1f\x8b") + 12] ^= 1
    path.write_bytes(data)
    with pytest.raises(BrokenImage, match=image.layers[0].digest):
        read_archive(path, elsewhere)


def test_an_archive_without_one_of_its_blobs_is_incomplete(image, blobs, elsewhere, tmp_path, tar):
    files = contents(written([image], blobs, tmp_path / "a.tar"))
    layer = f"blobs/sha256/{image.layers[0].digest.removeprefix('sha256:')}"
    (tmp_path / "b.tar").write_bytes(tar(*((n, data) for n, data in files.items() if n != layer)).getvalue())
    with pytest.raises(BrokenImage, match="incomplete"):
        read_archive(tmp_path / "b.tar", elsewhere)


@pytest.mark.parametrize(
    "data", [b"", b"no tar at all" * 100, gzip.compress(b"x" * 2000, mtime=0), b"\x1f\x8b\x08broken"]
)
def test_what_is_no_archive_is_said_to_be_none(blobs, tmp_path, data):
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(BrokenImage, match="archive"):
        read_archive(tmp_path / "a.tar", blobs)


def test_members_that_leave_the_archive_are_refused(tar, blobs, tmp_path):
    (tmp_path / "a.tar").write_bytes(tar(("../index.json", b"{}")).getvalue())
    with pytest.raises(BrokenImage, match="leaves its root"):
        read_archive(tmp_path / "a.tar", blobs)


def test_links_and_indexes_in_circles_come_to_an_end(tar, blobs, tmp_path):
    manifest = [{"Config": "a", "Layers": []}]
    entries = [("a", "->b"), ("b", "->a"), ("manifest.json", json.dumps(manifest).encode())]
    (tmp_path / "a.tar").write_bytes(tar(*entries).getvalue())
    with pytest.raises(BrokenImage, match=r"manifest\.json"):
        read_archive(tmp_path / "a.tar", blobs)


def test_a_path_that_is_not_there_is_named(blobs, tmp_path):
    with pytest.raises(ImageNotFound, match=r"nowhere\.tar"):
        read_archive(tmp_path / "nowhere.tar", blobs)
