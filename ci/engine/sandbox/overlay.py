"""Mounting overlays, and cleaning up after them."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ci.engine.sandbox import kernel
from ci.engine.sandbox.errors import SandboxError, SandboxUnavailable
from ci.engine.sandbox.spec import Data, Overlay

MAX_LAYERS = 500  # OVL_MAX_STACK in fs/overlayfs/params.h
_PAGE = 4096  # what mount(2) takes of options

# volatile: no sync, the engine's own bookkeeping says what survives a crash. userxattr: the same format for
# root and for everyone else; it also rules out redirects and metadata-only copies, so an upper stands alone.
_OPTIONS = "userxattr,volatile,index=off,xino=off"


@contextmanager
def mounted(overlay: Overlay) -> Iterator[Path]:
    """Mount ``overlay`` in this process' mount namespace and yield where; the work directory goes afterwards.

    Raises:
        SandboxError: a layer is missing, or there are more than MAX_LAYERS.
        SandboxUnavailable: this kernel, or the file system of ``upper``, cannot do it.
    """
    if len(overlay.lower) > MAX_LAYERS:
        msg = (
            f"sandbox: {len(overlay.lower)} layers under {overlay.upper}, and overlayfs takes {MAX_LAYERS}; "
            "flatten some of them into one"
        )
        raise SandboxError(msg)
    merged, scratch, empty = (overlay.work / name for name in ("merged", "scratch", "empty"))
    with _work_directory(overlay.work, disposable=overlay.disposable):
        merged.mkdir()
        scratch.mkdir()
        if not overlay.lower:
            empty.mkdir()
        _mount(overlay.lower or (empty,), overlay.upper, scratch, merged)
        try:
            yield merged
        finally:
            kernel.unmount(merged)


@contextmanager
def files_in_memory(work: Path, files: tuple[Data, ...]) -> Iterator[list[Path]]:
    """Write ``files`` to a file system in memory that is never swapped out; yield their paths, in order."""
    if not files:
        yield []
        return
    with _work_directory(work):
        kernel.mount("none", work, "ramfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0700")
        try:
            yield [_write(work / str(number), data) for number, data in enumerate(files)]
        finally:
            kernel.unmount(work)


def _write(path: Path, data: Data) -> Path:
    path.write_bytes(data.content)
    # In a user namespace of one user there is nobody to give the file to, and its owner is the step's user.
    with suppress(OSError):
        os.chown(path, data.uid, data.gid)
    path.chmod(data.mode)
    return path


@contextmanager
def _work_directory(work: Path, *, disposable: bool = False) -> Iterator[None]:
    work.mkdir(exist_ok=True)
    try:
        yield
    finally:
        # overlayfs leaves a directory of mode 0 there, which only its owner's chmod opens (or root's powers).
        with suppress(OSError):
            (work / "scratch/work").chmod(0o700)
        if not disposable:
            shutil.rmtree(work, ignore_errors=True)


def _mount(lower: tuple[Path, ...], upper: Path, scratch: Path, merged: Path) -> None:
    """Mount by the names of open descriptors: they are short, and no character in a path needs escaping."""
    with ExitStack() as opened:

        def descriptor(path: Path) -> int:
            try:
                number = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                msg = f"sandbox: layer {path} cannot be used: {error.strerror}; it must be a directory"
                raise SandboxError(msg) from error
            opened.callback(os.close, number)
            return number

        lowers, top, work = [descriptor(path) for path in lower], descriptor(upper), descriptor(scratch)
        target = f"/proc/self/fd/{descriptor(merged)}"

        def options(folder: str) -> str:
            below = ":".join(f"{folder}{number}" for number in lowers)
            return f"lowerdir={below},upperdir={folder}{top},workdir={folder}{work},{_OPTIONS}"

        try:
            if len(options("/proc/self/fd/")) < _PAGE:
                kernel.mount("overlay", target, "overlay", options=options("/proc/self/fd/"))
            else:
                _mount_from("/proc/self/fd", target, options(""))
        except OSError as error:
            raise _explain(error, upper) from error


def _mount_from(folder: str, target: str, options: str) -> None:
    """Mount with names relative to ``folder``, from a thread that has a working directory of its own."""

    def work() -> None:
        kernel.unshare(kernel.CLONE_FS)
        os.chdir(folder)
        kernel.mount("overlay", target, "overlay", options=options)

    kernel.apart("overlay mount", work)


def _explain(error: OSError, upper: Path) -> SandboxError:
    place = f"sandbox: cannot stack layers on {upper}: {error.strerror}; "
    if error.errno == errno.ENODEV:
        return SandboxUnavailable(place + "this kernel has no overlayfs: as root, `modprobe overlay`")
    if error.errno == errno.EPERM:
        return SandboxUnavailable(
            place + "this kernel keeps overlayfs from ordinary users: use Linux 5.11 or newer, or run as root"
        )
    if error.errno == errno.EINVAL:
        return SandboxUnavailable(
            place + "its file system cannot hold an upper layer, or Linux is older than 5.11: "
            "use a folder on ext4, xfs, btrfs or tmpfs"
        )
    return SandboxError(place + "check that upper and work are on one file system with free space")
