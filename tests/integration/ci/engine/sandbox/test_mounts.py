"""What is mounted in a container, what a step may do with it, and what is left of it in the layer."""

import os
import stat
from pathlib import Path

import pytest

from ci.engine.sandbox import Bind, Data, OverlayMount, SandboxError, Tmpfs


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_text("content\n")
    return folder


def test_a_bind_is_the_hosts_directory(engine, source):
    engine.text("cat /src/file; echo new > /src/made", mounts=(Bind(source, "/src"),))
    assert (source / "made").read_text() == "new\n"


def test_a_read_only_bind_cannot_be_written(engine, source):
    mounts = (Bind(source, "/src", readonly=True), Bind(source / "file", "/etc/one", readonly=True))
    outcome = engine.shell("cat /etc/one; echo x > /etc/one; touch /src/made", mounts=mounts)
    assert outcome.stdout == b"content\n"
    assert outcome.stderr.count(b"Read-only file system") == 2


def test_an_overlay_mount_leaves_what_is_below_as_it_was(engine, source):
    mount = OverlayMount(engine.overlay(source), "/src")
    assert engine.text("rm /src/file; touch /src/made; ls /src", mounts=(mount,)).split() == ["made", "sub"]
    assert (source / "file").exists()
    assert names(mount.overlay.upper) == {"file", "made"}
    assert not mount.overlay.work.exists()


def test_an_overlay_mount_may_be_read_only_and_have_mounts_inside(engine, source):
    mount = OverlayMount(engine.overlay(source), "/src", readonly=True)
    inside = Data(b"x", "/src/new/secret")
    outcome = engine.shell("cat /src/new/secret; touch /src/made", mounts=(mount, inside))
    assert outcome.stdout == b"x"
    assert b"Read-only file system" in outcome.stderr
    assert names(mount.overlay.upper) == set()


def test_a_tmpfs_is_empty_limited_and_gone_afterwards(engine, source):
    root = engine.overlay()
    mounts = (Tmpfs("/scratch", size=65536, mode=0o1750), Bind(source, "/scratch/deep/src"))
    script = """
        stat -c %a /scratch; ls /scratch/deep/src
        dd if=/dev/zero of=/scratch/big bs=4096 count=100 2>&1 | tail -n 1
        echo $(stat -c %s /scratch/big)
    """
    output = engine.text(script, root=root, mounts=mounts).split()
    assert output[:3] == ["1750", "file", "sub"]
    assert 0 < int(output[-1]) <= 65536
    assert names(root.upper) == set()


def test_a_working_directory_inside_a_tmpfs_is_made(engine):
    assert engine.text("pwd", cwd="/tmp/a/b", mounts=(Tmpfs("/tmp"),)) == "/tmp/a/b"


@pytest.mark.parametrize("uid", [0, 1000])
def test_a_secret_is_there_for_its_user_and_leaves_no_trace(engine, uid):
    root = engine.overlay()
    secret = Data(b"s3cr3t", "/run/secrets/deep/token", mode=0o400, uid=uid)
    script = "cat /run/secrets/deep/token; stat -c ' %a' /run/secrets/deep/token"
    assert engine.text(script, root=root, uid=uid, mounts=(secret,)).split() == ["s3cr3t", "400"]
    assert names(root.upper) == {"run"}  # a copy of the layer's own directory
    assert (root.upper / "run").stat().st_mtime_ns == (engine.rootfs / "run").stat().st_mtime_ns


def test_a_secret_of_another_user_cannot_be_read(as_root):
    outcome = as_root.shell("cat /token", uid=1000, mounts=(Data(b"s3cr3t", "/token", uid=1001),))
    assert b"Permission denied" in outcome.stderr


def test_a_secret_is_not_in_any_command_line_or_message(engine):
    secret = Data(b"s3cr3t", "/token")
    assert "s3cr3t" not in repr(secret)
    outcome = engine.shell(
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ", env=(("X", ""),), mounts=(secret,)
    )
    assert b"s3cr3t" not in outcome.stdout


def test_data_over_a_file_of_the_image_is_seen_instead_of_it(engine):
    root = engine.overlay()
    mounts = (Data(b"fixed", "/etc/motd", mode=0o444), Data(b"", "/etc/hosts", mode=0o644))
    outcome = engine.shell(
        "cat /etc/motd; echo own > /etc/hosts; echo x > /etc/motd", root=root, mounts=mounts
    )
    assert outcome.stdout == b"fixed"
    assert outcome.stderr.count(b"\n") == 1
    assert names(root.upper) <= {"etc"}


def test_what_a_step_put_into_a_mount_point_stays(engine):
    root = engine.overlay()
    outer = engine.overlay(engine.rootfs / "etc")
    mounts = (OverlayMount(outer, "/outer"), Tmpfs("/outer/cache"))
    engine.text("touch /outer/result /outer/cache/x", root=root, mounts=mounts)
    assert names(outer.upper) == {"result"}
    assert names(root.upper) == set()


def test_mounts_may_come_in_any_order(engine, source):
    mounts = (Data(b"inner\n", "/a/b/c"), Bind(source, "/a/b"), Tmpfs("/a"))
    assert engine.text("cat /a/b/c /a/b/file", mounts=mounts).split() == ["inner", "content"]
    assert names(source) == {"file", "sub"}


def test_a_target_behind_a_link_is_inside_the_container(engine, source):
    root = engine.overlay()
    script = "readlink /var/run; cat /run/app/file"
    output = engine.text(script, root=root, mounts=(Bind(source, "/var/run/app"),))
    assert output.split() == ["/run", "content"]
    assert not Path("/run/app").exists()


def test_links_never_lead_out_of_the_container(engine, tmp_path, source):
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "out").symlink_to("../../../../../../" + str(tmp_path))
    root = engine.overlay(layer, engine.rootfs)
    engine.text("cat /out/x/file", root=root, mounts=(Bind(source, "/out/x"),), cwd="/out/made")
    assert {path.name for path in tmp_path.iterdir()} == {"layer", "source"}


@pytest.mark.parametrize(
    ("mount", "words"),
    [
        (Bind(Path("/nonesuch"), "/x"), ("/nonesuch", "does not exist")),
        (Bind(Path("/proc/version"), "/etc"), ("/etc", "is a directory", "file is wanted")),
        (Bind(Path("/proc"), "/etc/motd"), ("/etc/motd", "is a file", "directory is wanted")),
        (Tmpfs("/"), ("root", "below it")),
        (Data(b"", "/etc/motd/x"), ("/etc/motd/x", "Not a directory")),
    ],
)
def test_a_senseless_mount_is_one_clear_error(engine, mount, words):
    error = engine.run("true", mounts=(mount,)).error
    assert isinstance(error, SandboxError)
    for word in words:
        assert word in str(error)


def test_nothing_is_made_in_a_read_only_source(engine, source):
    mounts = (Bind(source, "/src", readonly=True), Data(b"", "/src/sub/new/secret"))
    assert "is read-only" in str(engine.run("true", mounts=mounts).error)
    assert names(source) == {"file", "sub"}


def test_a_failure_leaves_nothing_behind(engine, source):
    root = engine.overlay()
    mounts = (Data(b"", "/new/a"), OverlayMount(engine.overlay(source), "/new/b"), Bind(Path("/none"), "/c"))
    assert engine.run("true", root=root, mounts=mounts).error is not None
    assert names(root.upper) == set()


def test_an_empty_root_can_be_started_from(engine, tmp_path):
    root = engine.overlay(tmp_path)
    mounts = (Bind(engine.rootfs, "/host", readonly=True),)
    assert engine.run("/host/usr/bin/nonesuch", root=root, mounts=mounts).error is not None
    assert names(root.upper) == set()


def test_a_root_without_any_layer_is_its_upper(engine):
    place = engine.overlay()
    root = type(place)((), place.upper, place.work)
    mounts = (Bind(engine.rootfs / "usr", "/usr"), Bind(engine.rootfs / "lib64", "/lib64"))
    mounts += (Bind(engine.rootfs / "lib", "/lib"),) if (engine.rootfs / "lib").is_dir() else ()
    assert engine.run("touch", "/made", root=root, mounts=mounts).exit_code == 0
    assert names(root.upper) == {"made"}


def test_changes_are_written_down_as_overlayfs_does_it(engine):
    root = engine.overlay()
    engine.text("rm /etc/motd; rm -r /var; mkdir /var; chmod 700 /run", root=root)
    deleted = (root.upper / "etc/motd").lstat()
    assert stat.S_ISCHR(deleted.st_mode)
    assert deleted.st_rdev == 0
    assert os.getxattr(root.upper / "var", "user.overlay.opaque") == b"y"
    assert stat.S_IMODE((root.upper / "run").stat().st_mode) == 0o700


def test_an_upper_stands_alone(engine, tmp_path):
    layer = tmp_path / "layer"
    (layer / "folder").mkdir(parents=True)
    (layer / "folder/file").write_text("content\n")
    root = engine.overlay(layer, engine.rootfs)
    engine.text("mv /folder /moved; chmod 600 /moved/file", root=root)
    assert (root.upper / "moved/file").read_text() == "content\n"
    assert "user.overlay.redirect" not in os.listxattr(root.upper / "moved")


@pytest.mark.parametrize("count", [3, 240, 499])
def test_many_layers_are_stacked_top_most_first(engine, tmp_path, count):
    layers = [tmp_path / f"a rather long name, as folders have: number {number}" for number in range(count)]
    for number, layer in enumerate(layers):
        layer.mkdir()
        (layer / "which").write_text(f"{number}\n")
        (layer / f"file{number}").touch()
    root = engine.overlay(*layers, engine.rootfs)
    assert engine.text("cat /which; ls / | grep -c file || echo /file*", root=root).split()[0] == "0"
    assert len(engine.text("echo /file*", root=engine.overlay(*layers, engine.rootfs)).split()) == count


def test_too_many_layers_are_one_clear_error(engine):
    root = engine.overlay(*[engine.rootfs] * 501)
    assert "501 layers" in str(engine.run("true", root=root).error)


def test_a_missing_layer_is_named(engine, tmp_path):
    root = engine.overlay(tmp_path / "lost", engine.rootfs)
    assert str(tmp_path / "lost") in str(engine.run("true", root=root).error)


def test_awkward_names_are_taken_as_they_are(engine, tmp_path):
    place = tmp_path / "a,b:c\\d e=\"f'\n"
    place.mkdir()
    (place / "it").write_text("found\n")
    root = engine.overlay(place, engine.rootfs)
    assert engine.text("cat /it '/x,y:\\z/it'", root=root, mounts=(Bind(place, "/x,y:\\z"),)).split() == [
        *("found", "found")
    ]


def test_a_file_system_that_cannot_hold_a_layer_is_one_clear_error(engine):
    spec = engine.spec("true")
    place = Path("/proc/self/fdinfo")
    root = type(spec.root)(spec.root.lower, place, spec.root.work)
    error = engine.run("true", root=root).error
    assert "its file system cannot hold an upper layer" in str(error) or "one file system" in str(error)
