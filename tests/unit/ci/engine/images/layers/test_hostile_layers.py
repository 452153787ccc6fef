"""No layer writes outside its root, or reads from there."""

import io
import os
import tarfile

import pytest

from ci.engine.images import BrokenImage, unpack


@pytest.fixture
def root(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("mine")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def untouched(root) -> bool:
    outside = root.parent / "outside"
    return os.listdir(outside) == ["secret"] and (outside / "secret").read_text() == "mine"


@pytest.mark.parametrize("name", ["../outside/x", "a/../../outside/x", "/outside/x", "..", "a/.."])
def test_a_path_out_of_the_root_is_refused(tar, root, name):
    with pytest.raises(BrokenImage, match="leaves its root"):
        list(unpack(tar((name, b"evil")), root, own=False))
    assert untouched(root)


@pytest.mark.parametrize("target", ["{}", "../outside", "/../../../../../../../{}", "deep/../../outside"])
def test_a_symlink_is_not_a_way_out(tar, root, target):
    link = "->" + target.format(root.parent / "outside")
    list(unpack(tar(("deep", None), ("d", link), ("d/secret", b"evil"), ("d/new", b"evil")), root, own=False))
    assert untouched(root)


def test_a_symlink_within_the_root_is_followed_there(tar, root):
    members = list(unpack(tar(("usr/lib", None), ("lib", "->/usr/lib"), ("lib/x", b"1")), root, own=False))
    assert (root / "usr/lib/x").read_bytes() == b"1"
    assert "usr/lib/x" in [member.path for member in members]


def test_a_file_replaces_a_symlink_rather_than_writing_through_it(tar, root):
    link = f"->{root.parent / 'outside/secret'}"
    list(unpack(tar(("f", link), ("f", b"evil")), root, own=False))
    assert untouched(root)
    assert (root / "f").read_bytes() == b"evil"


def test_a_directory_replaces_a_symlink_rather_than_changing_its_target(tar, root):
    mode = (root.parent / "outside").stat().st_mode
    list(
        unpack(
            tar(("d", f"->{root.parent / 'outside'}"), ("d", None), ("d/x", b"1"), mode=0o700),
            root,
            own=False,
        )
    )
    assert untouched(root)
    assert (root.parent / "outside").stat().st_mode == mode


def test_symlinks_in_a_circle_are_refused(tar, root):
    with pytest.raises(BrokenImage, match="symbolic links"):
        list(unpack(tar(("a", "->b"), ("b", "->a"), ("a/x", b"1")), root, own=False))


@pytest.mark.parametrize("target", ["../outside/secret", "/etc/passwd", "a/../../outside/secret"])
def test_a_hard_link_out_of_the_root_is_refused(tar, root, target):
    with pytest.raises(BrokenImage, match="leaves its root"):
        list(unpack(tar(("a", None), ("stolen", f"=>{target}")), root, own=False))
    assert not (root / "stolen").exists()


def test_a_hard_link_through_a_symlink_stays_within(tar, root):
    entries = (("d", f"->{root.parent / 'outside'}"), ("stolen", "=>d/secret"))
    with pytest.raises(BrokenImage, match="not in the layer"):
        list(unpack(tar(*entries), root, own=False))


def test_a_hard_link_to_a_symlink_links_the_symlink(tar, root):
    secret = root.parent / "outside/secret"
    list(unpack(tar(("s", f"->{secret}"), ("h", "=>s")), root, own=False))
    assert (root / "h").is_symlink()
    assert secret.stat().st_nlink == 1


@pytest.mark.parametrize("target", ["d", "missing"])
def test_a_hard_link_to_no_file_is_refused(tar, root, target):
    with pytest.raises(BrokenImage, match="hard link"):
        list(unpack(tar(("d", None), ("h", f"=>{target}")), root, own=False))


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "a/.wh..."])
def test_a_whiteout_of_nothing_is_refused(tar, root, name):
    with pytest.raises(BrokenImage, match="whiteout"):
        list(unpack(tar((name, b"")), root, own=False))
    assert untouched(root)


def test_a_whiteout_through_a_symlink_stays_within(tar, root):
    list(unpack(tar(("d", f"->{root.parent / 'outside'}"), ("d/.wh.secret", b"")), root, own=False))
    assert untouched(root)


def test_a_file_in_a_directorys_place_is_refused(tar, root):
    with pytest.raises(BrokenImage, match="which is a file"):
        list(unpack(tar(("f", b"1"), ("f/x", b"1")), root, own=False))


def test_attributes_that_steer_overlayfs_are_dropped(root):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("d")
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        info.pax_headers = {"SCHILY.xattr.user.overlay.redirect": "/etc", "SCHILY.xattr.user.mine": "1"}
        archive.addfile(info)
    stream.seek(0)
    (member,) = unpack(stream, root, own=False)
    assert os.listxattr(root / "d") == ["user.mine"]
    assert member.xattrs == (("user.mine", b"1"),)


def test_a_whiteout_in_overlayfs_own_form_is_not_taken_from_a_layer(root):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("etc")
        info.type = tarfile.CHRTYPE
        archive.addfile(info)
    stream.seek(0)
    assert list(unpack(stream, root, own=False)) == []
    assert os.listdir(root) == []


def test_a_name_longer_than_the_file_system_takes_is_an_error_not_a_crash(tar, root):
    with pytest.raises(OSError, match="too long"):
        list(unpack(tar(("x" * 300, b"")), root, own=False))


def test_hundreds_of_nested_directories_do_not_use_up_descriptors(tar, root):
    deep = "/".join("d" for _ in range(400))
    list(unpack(tar((f"{deep}/leaf", b"1"), (f"{deep}/leaf2", b"1")), root, own=False))
    here = os.open(root, os.O_RDONLY)
    for _ in range(400):
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    assert sorted(os.listdir(here)) == ["leaf", "leaf2"]
    os.close(here)


def test_nesting_that_would_break_tools_is_refused(tar, root):
    with pytest.raises(BrokenImage, match="1201 directories deep"):
        list(unpack(tar(("d/" * 1200 + "leaf", b"1")), root, own=False))
    assert os.listdir(root) == []
