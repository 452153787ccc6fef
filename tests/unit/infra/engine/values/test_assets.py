"""Hashes of files: the real engine's, so that a stack handed over shows no difference."""

import hashlib

import pytest

from infra.engine.values import Archive, Asset, Secret
from infra.engine.values.assets import AssetError, contains_files, with_hashes


def hash_of(value, folder):
    return with_hashes({"v": value}, folder)["v"].hash


def test_an_asset_has_its_contents_hash(tmp_path):
    (tmp_path / "f").write_text("data\n")
    expected = hashlib.sha256(b"data\n").hexdigest()
    assert hash_of(Asset(path="f"), tmp_path) == expected
    assert hash_of(Asset(text="data\n"), tmp_path) == expected
    assert hash_of(Asset(uri=(tmp_path / "f").as_uri()), tmp_path) == expected


def test_an_archive_has_the_hash_that_the_pulumi_cli_gives_it(tmp_path):
    # Recorded from a checkpoint that the Pulumi CLI wrote for a component with these inputs.
    (tmp_path / "dir" / "sub").mkdir(parents=True)
    (tmp_path / "dir" / "a").write_text("1\n")
    (tmp_path / "dir" / "sub" / "b").write_text("2\n")
    archive = Archive(assets={"x": Asset(text="hi"), "d": Archive(path="dir")})
    assert hash_of(archive, tmp_path) == "7b4ee4d916f8ec09ff8ee219261986ddb7f15dc09262b63fd22ad32e3b8e633e"


def test_names_too_long_or_not_ascii_have_the_cli_s_hash_too(tmp_path):
    archive = Archive(assets={"n" * 120: Asset(text="1"), "é": Asset(text="2")})
    assert hash_of(archive, tmp_path) == "49693833301b614f8e85f7d98a43466131c2d88fa7dfd207f8aa0d1038d42669"


def test_a_folder_and_its_files_given_one_by_one_are_the_same_archive(tmp_path):
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "a").write_text("1")
    (tmp_path / "dir" / "b").write_text("2")
    (tmp_path / "dir" / ".pulumi").mkdir()
    (tmp_path / "dir" / ".pulumi" / "ignored").write_text("3")
    listed = Archive(assets={"b": Asset(text="2"), "a": Asset(text="1")})
    assert hash_of(Archive(path="dir"), tmp_path) == hash_of(listed, tmp_path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Asset(path="none"), r"failed to open asset file '.*none': open .*none: no such file or directory"),
        (Asset(path="."), "is a directory; try using an archive"),
        (Archive(path="none"), "couldn't read archive path"),
        (Asset(uri="ftp://x"), "Unrecognized or unsupported URI scheme: ftp"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, value, message):
    with pytest.raises(AssetError, match=message):
        with_hashes({"v": Secret([value])}, tmp_path)


def test_files_are_found_in_secrets_and_lists():
    assert contains_files({"a": [Secret(Asset(text="x"))]})
    assert not contains_files({"a": "x"})
