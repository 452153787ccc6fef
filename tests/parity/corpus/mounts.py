"""Mounts: directories, files, caches, secrets and memory put into a container for its steps."""

import dagger

from tests.parity.world import Room, World


def _mounted(world: World, **arguments) -> dagger.Container:
    return world.base.with_mounted_directory("/m", world.tree("d/f", "g"), **arguments)


PIPELINES: Room = {
    "a mounted directory is seen": lambda w: w.shell("cat /m/d/f; ls /m", _mounted(w)),
    "a mounted directory may be changed": lambda w: w.shell("echo new > /m/g; cat /m/g", _mounted(w)),
    "a mounted directory's change is seen by the next step": lambda w: w.shell(
        "cat /m/g", _mounted(w).with_exec(["sh", "-c", "echo new > /m/g"])
    ),
    "a mounted directory's change can be taken out": lambda w: (
        _mounted(w).with_exec(["sh", "-c", "echo new > /m/n"]).directory("/m").entries()
    ),
    "a read-only directory": lambda w: w.shell("echo new > /m/g", _mounted(w, read_only=True)),
    "a mount is no part of the root": lambda w: (
        _mounted(w).with_exec(["true"]).rootfs().directory("m").entries()
    ),
    "a mount's owner": lambda w: w.shell("stat -c '%U %n' /m /m/d /m/d/f", _mounted(w, owner="daemon")),
    "a mount's mode": lambda w: w.shell(
        "stat -c '%a' /m",
        w.base.with_mounted_directory(
            "/m", w.directory().with_new_directory("d", permissions=0o700).directory("d")
        ),
    ),
    "a mount's own mode, of its root": lambda w: w.shell("stat -c '%a' /m /m/d /m/g", _mounted(w)),
    "a mount over a mount": lambda w: w.shell(
        "ls /m /m/d", _mounted(w).with_mounted_directory("/m/d", w.tree("x"))
    ),
    "a mount at the root": lambda w: w.base.with_mounted_directory("/", w.tree("x")).directory("/").entries(),
    "a mount at a relative path": lambda w: w.shell(
        "ls /w/m", w.base.with_workdir("/w").with_mounted_directory("m", w.tree("x"))
    ),
    "a mount is taken away": lambda w: w.shell("ls -d /m 2>&1 || echo gone", _mounted(w).without_mount("/m")),
    "a file is written into a mount": lambda w: (
        _mounted(w).with_new_file("/m/n", "x").directory("/m").entries()
    ),
    "a mounted file": lambda w: w.shell(
        "cat /f; stat -c '%a %U' /f", w.base.with_mounted_file("/f", w.tree("x").file("x"))
    ),
    "a mounted file's owner": lambda w: w.shell(
        "stat -c '%U:%G' /f", w.base.with_mounted_file("/f", w.tree("x").file("x"), owner="daemon:mail")
    ),
    "a mounted file may be changed": lambda w: (
        w.base.with_mounted_file("/f", w.tree("x").file("x"))
        .with_exec(["sh", "-c", "echo more >> /f"])
        .file("/f")
        .contents()
    ),
    "a file of a mounted directory": lambda w: _mounted(w).file("/m/d/f").contents(),
    "a directory of a mounted file": lambda w: (
        w.base.with_mounted_file("/f", w.tree("x").file("x")).directory("/f").entries()
    ),
    "memory": lambda w: w.shell("stat -f -c %T /t; stat -c %a /t", w.base.with_mounted_temp("/t")),
    "memory is empty for each step": lambda w: w.shell(
        "ls /t", w.base.with_mounted_temp("/t").with_exec(["touch", "/t/x"])
    ),
    "memory of a size": lambda w: w.shell(
        "df -k /t | tail -1 | awk '{print $2}'", w.base.with_mounted_temp("/t", size=1024 * 1024)
    ),
    "files of memory": lambda w: w.base.with_mounted_temp("/t").directory("/t").entries(),
    "a cache keeps what it is given": lambda w: w.shell(
        "cat /c/x",
        w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique)).with_exec(
            ["sh", "-c", "echo kept > /c/x"]
        ),
    ),
    "a cache's owner": lambda w: w.shell(
        "stat -c '%U %a' /c", w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique), owner="daemon")
    ),
    "a cache starts with a directory": lambda w: w.shell(
        "cat /c/x", w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique), source=w.tree("x"))
    ),
    "a cache starts empty": lambda w: w.shell(
        "ls -A /c; stat -c '%a' /c", w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique))
    ),
    "files of a cache": lambda w: (
        w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique)).directory("/c").entries()
    ),
    "a file of a cache": lambda w: (
        w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique)).file("/c/x").contents()
    ),
    "a file written into a cache": lambda w: (
        w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique)).with_new_file("/c/x", "x").sync()
    ),
    "a cache of its own for each": lambda w: w.shell(
        "ls /c",
        w.base.with_mounted_cache("/c", w.dag.cache_volume(w.unique), sharing=dagger.CacheSharingMode.LOCKED)
        .with_exec(["touch", "/c/x"])
        .with_mounted_cache("/c", w.dag.cache_volume(w.unique + "2")),
    ),
    "a cache without a name": lambda w: w.shell(
        "ls /c", w.base.with_mounted_cache("/c", w.dag.cache_volume(""))
    ),
    "a mounted path is expanded": lambda w: w.shell(
        "cat /m/here/x",
        w.base.with_env_variable("A", "here").with_mounted_directory("/m/$A", w.tree("x"), expand=True),
    ),
    "a place that a mount makes stays": lambda w: (
        w.base.with_mounted_temp("/made/by/mount")
        .with_exec(["true"])
        .without_mount("/made/by/mount")
        .exists("/made/by")
    ),
    "a link that leads into a mount": lambda w: w.shell("cat /l/f", _mounted(w).with_symlink("/m/d", "/l")),
    "a socket that is not there": lambda w: w.shell(
        "ls /s", w.base.with_unix_socket("/s", w.dag.host().unix_socket(str(w.folder / "nope.sock")))
    ),
}
