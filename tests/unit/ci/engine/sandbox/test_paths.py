"""What a path means inside a container, and what mounting leaves of its targets."""

from pathlib import Path

import pytest

from ci.engine.sandbox import SandboxError
from ci.engine.sandbox.paths import Tree, tree


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "root"
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "bin").symlink_to("usr/bin")
    (folder / "run").mkdir()
    (folder / "var").mkdir()
    (folder / "var/run").symlink_to("/run")
    (folder / "up").symlink_to("../../../..")
    (folder / "round").symlink_to("about")
    (folder / "about").symlink_to("/round")
    (folder / "etc").mkdir()
    (folder / "etc/motd").write_text("welcome")
    return folder


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        ("/", "/"),
        ("", "/"),
        ("usr", "/usr"),
        ("//usr/./bin/../bin/", "/usr/bin"),
        ("/bin/sh", "/usr/bin/sh"),
        ("/var/run/app/x", "/run/app/x"),
        ("/up/up/etc", "/etc"),
        ("/../../etc", "/etc"),
        ("/bin/../run", "/usr/run"),  # .. of where the link leads, as the kernel has it
        ("/new/../run", "/run"),
    ],
)
def test_links_and_dots_are_followed_inside_the_root(root, path, meaning):
    assert Tree(root).resolve(path) == meaning


def test_links_in_circles_are_one_clear_error(root):
    with pytest.raises(SandboxError, match=r"/round/x .* circles"):
        Tree(root).resolve("/round/x")


def test_links_inside_a_mount_are_followed_in_the_container(root, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "link").symlink_to("/etc")
    with tree(root) as view:
        view.add_mount("/src", source, directory=True)
        assert view.resolve("/src/link/motd") == "/etc/motd"


def test_a_mount_hides_the_link_that_it_covers(root, tmp_path):
    with tree(root) as view:
        view.add_mount("/usr", tmp_path, directory=True)
        assert view.resolve("/bin/sh") == "/usr/bin/sh"
        assert view.resolve("/usr/root/bin") == "/usr/root/usr/bin"


def test_below_a_mount_without_a_place_nothing_is_made(root):
    with tree(root) as view:
        view.add_mount("/tmp", None, directory=True)
        view.add_mount("/tmp/a/b", root, directory=True)
        assert list((root / "tmp").iterdir()) == []
    assert not (root / "tmp").exists()


def test_targets_are_made_and_removed_with_the_times_around_them_restored(root):
    before = (root / "run").stat().st_mtime_ns
    with tree(root) as view:
        view.add_mount("/run/a/b", root, directory=True)
        view.add_mount("/run/file", root / "etc/motd", directory=False)
        assert (root / "run/a/b").is_dir()
        assert (root / "run/file").is_file()
    assert list((root / "run").iterdir()) == []
    assert (root / "run").stat().st_mtime_ns == before


def test_targets_that_were_there_or_were_filled_stay(root):
    with tree(root) as view:
        view.add_mount("/etc/motd", root / "etc/motd", directory=False)
        view.add_mount("/a/b", root, directory=True)
        view.add_mount("/c", root / "etc/motd", directory=False)
        (root / "a/kept").touch()
        (root / "c").write_text("kept")
    assert (root / "etc/motd").read_text() == "welcome"
    assert [path.name for path in (root / "a").iterdir()] == ["kept"]
    assert (root / "c").read_text() == "kept"


def test_nothing_is_made_in_what_is_somebody_elses(root, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    with tree(root) as view:
        view.add_mount("/src", source, directory=True, fixed=True)
        with pytest.raises(SandboxError, match=r"/src/a/b in the container .* /src, .* read-only"):
            view.add_mount("/src/a/b", root, directory=True)
    assert list(source.iterdir()) == []


def test_a_working_directory_stays(root):
    with tree(root) as view:
        assert view.working_directory("/var/run/app", 0, 0) == "/run/app"
    assert (root / "run/app").is_dir()
