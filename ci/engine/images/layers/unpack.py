"""From a layer's tar to a directory that overlayfs can stack, safely.

Whiteouts become character devices 0/0 and opaque directories get `user.overlay.opaque`, as overlayfs (mounted
with `userxattr`) has them:
https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories
"""

import contextlib
import dataclasses
import errno
import hashlib
import os
import stat
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ci.engine.images.errors import BrokenImage
from ci.engine.images.layers.bounds import USUAL, Bounds, TarReader
from ci.engine.images.layers.member import OPAQUE, WHITEOUT, Kind, Member, from_tar
from ci.engine.images.layers.within import Within
from ci.engine.store.blobs import Readable, room

_KINDS: dict[bytes, Kind] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.GNUTYPE_SPARSE: "file",
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
    tarfile.FIFOTYPE: "fifo",
}
_XATTR = "SCHILY.xattr."
#: More levels than any software needs, and fewer than tools that walk trees recursively can stand.
_DEEPEST = 500
_NOT_ALLOWED = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL)


def unpack(
    layer: Readable, dest: Path, *, own: bool, diff_id: str | None = None, bounds: Bounds = USUAL
) -> Iterator[Member]:
    """Extract a layer (gzip, zstd or plain tar) into the empty directory `dest`, yielding its members.

    With `own` (as root), owners are set; without, everything belongs to whoever runs this, and the members
    still say what the layer says. Device nodes and attributes that this user may not make are left out. When
    it fails, what is in `dest` is of no use: unpack into a temporary directory and rename it.

    Raises BrokenImage when the tar is damaged, leaves its root, grows out of `bounds`, or is not `diff_id`;
    StoreFull; OSError.
    """
    tar = TarReader(layer, bounds)
    with room(dest), Within(dest) as root:
        extraction = _Extraction(root, own)
        # Nothing is read twice, so a layer can be unpacked while it arrives.
        for info in tar:
            try:
                yield from extraction.extract(tar, info)
            except (ValueError, OverflowError) as error:
                raise BrokenImage(
                    f"the layer's {info.name!r} is not possible ({error}): do not use this image"
                ) from error
        extraction.finish()
    if diff_id is not None and tar.digest != diff_id:
        raise BrokenImage(
            f"the layer unpacked to {tar.digest}, but its image says {diff_id}: pull the image again"
        )


def split(path: str) -> tuple[str, ...]:
    """The names in a member's path. Raises BrokenImage when it is absolute or goes up."""
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise BrokenImage(f"the layer has a member {path!r} that leaves its root: do not use this image")
    if len(parts) > _DEEPEST:
        raise BrokenImage(f"the layer has a member {len(parts)} directories deep: do not use this image")
    return parts


class _Extraction:
    """The state of one unpacking: marks seen, digests of files, directories to finish."""

    def __init__(self, root: Within, own: bool) -> None:
        self._root = root
        self._own = own
        self._whiteouts: set[tuple[str, ...]] = set()
        # Of inodes: what the files that hard links join contain, and owners that are not on disk.
        self._contents: dict[int, str] = {}
        self._owners: dict[int, tuple[int, int]] = {}
        # A directory's mode and time are set last: filling it needs the one and changes the other.
        self._directories: dict[tuple[str, ...], Member] = {}

    def extract(self, tar: TarReader, info: tarfile.TarInfo) -> Iterator[Member]:
        """Write one member; yields it, and the directories that it implied."""
        parts = split(info.name)
        if not parts:
            if info.isdir():
                self._directories[()] = member = _member(info, (), "dir")
                yield member
            return
        folder, place = self._root.folder(parts[:-1])
        name = parts[-1]
        if name.startswith(WHITEOUT):
            made = self._mark(folder, place, name)
        else:
            made = self._plain(tar, info, folder, (*place, name))
        for path, hides in self._root.implied:
            yield Member(path, "dir", 0o755, opaque=hides, implied=True)
        self._root.implied.clear()
        if made is not None:
            yield made

    def finish(self) -> None:
        """Give directories their modes and times, innermost first."""
        for place, member in sorted(self._directories.items(), reverse=True):
            try:
                folder, found = self._root.folder(place)
            except BrokenImage:
                continue
            if found == place:
                self._attributes(folder, member)

    def _mark(self, folder: int, place: tuple[str, ...], name: str) -> Member | None:
        if name == OPAQUE:
            os.setxattr(folder, "user.overlay.opaque", b"y")
            return Member("/".join(place) or ".", "dir", 0o755, opaque=True, implied=True)
        hidden = name.removeprefix(WHITEOUT)
        if hidden.startswith(WHITEOUT):
            return None  # bookkeeping of AUFS, which no one else reads
        if hidden in {"", ".", ".."}:
            raise BrokenImage(f"the layer has a whiteout {name!r} of nothing: do not use this image")
        target = (*place, hidden)
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(hidden, dir_fd=folder, follow_symlinks=False)
            # A whiteout speaks of lower layers only; what this layer has put there stays.
            if not stat.S_ISDIR(found.st_mode):
                return None
            os.setxattr(self._root.folder(target)[0], "user.overlay.opaque", b"y")
            return Member("/".join(target), "dir", 0o755, opaque=True, implied=True)
        os.mknod(hidden, stat.S_IFCHR, 0, dir_fd=folder)
        self._whiteouts.add(target)
        return Member("/".join(target), "char", 0, whiteout=True)

    def _plain(
        self, tar: TarReader, info: tarfile.TarInfo, folder: int, place: tuple[str, ...]
    ) -> Member | None:
        kind = _KINDS.get(info.type)
        if kind is None:
            raise BrokenImage(f"{info.name!r} is of the unknown type {info.type!r}: do not use this image")
        member = _member(info, place, kind)
        if kind == "dir":
            return self._directory(folder, place, member)
        self._root.remove(folder, place[-1])
        self._directories.pop(place, None)
        # Removing a directory closes descriptors, `folder` among them.
        folder, _ = self._root.folder(place[:-1])
        if kind == "file":
            return self._file(tar, info, folder, place, member)
        if kind == "hardlink":
            return self._hard_link(folder, place, member)
        return self._special(folder, place[-1], member)

    def _directory(self, folder: int, place: tuple[str, ...], member: Member) -> Member:
        try:
            os.mkdir(place[-1], 0o700, dir_fd=folder)
        except FileExistsError:
            found = os.stat(place[-1], dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                os.unlink(place[-1], dir_fd=folder)
                os.mkdir(place[-1], 0o700, dir_fd=folder)
        self._directories[place] = member
        if place in self._whiteouts:
            os.setxattr(self._root.folder(place)[0], "user.overlay.opaque", b"y")
            return dataclasses.replace(member, opaque=True)
        return member

    def _file(
        self, tar: TarReader, info: tarfile.TarInfo, folder: int, place: tuple[str, ...], member: Member
    ) -> Member:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(place[-1], flags, 0o600, dir_fd=folder)
        try:
            digest = _written(tar.content(info), descriptor)
            self._attributes(descriptor, member)
            self._born(os.fstat(descriptor), member)
        finally:
            os.close(descriptor)
        return dataclasses.replace(member, digest=digest)

    def _born(self, status: os.stat_result, member: Member) -> None:
        """Note what a hard link to a new file will need; its inode may have been another file's before."""
        self._contents.pop(status.st_ino, None)
        self._owners.pop(status.st_ino, None)
        if not self._own and (member.uid or member.gid):
            self._owners[status.st_ino] = (member.uid, member.gid)

    def _hard_link(self, folder: int, place: tuple[str, ...], member: Member) -> Member:
        target = split(member.link)
        if not target:
            raise BrokenImage(f"{member.path!r} is a hard link to the root: do not use this image")
        # Finding the target's directory may close `folder`; keep a descriptor of our own.
        ours = os.dup(folder)
        try:
            theirs, found = self._root.folder(target[:-1])
            status = os.stat(target[-1], dir_fd=theirs, follow_symlinks=False)
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                raise BrokenImage(
                    f"{member.path!r} is a hard link to {member.link!r}, which is no file: do not use it"
                )
            os.link(target[-1], place[-1], src_dir_fd=theirs, dst_dir_fd=ours, follow_symlinks=False)
            return self._joined(member, (*found, target[-1]), theirs, status)
        except FileNotFoundError as error:
            raise BrokenImage(
                f"{member.path!r} is a hard link to {member.link!r}, which is not in the layer: pull it again"
            ) from error
        finally:
            os.close(ours)

    def _joined(self, member: Member, target: tuple[str, ...], folder: int, status: os.stat_result) -> Member:
        """A hard link with the attributes of what it joins: a file, or a symlink, which it then is."""
        uid, gid = self._owners.get(status.st_ino, (status.st_uid, status.st_gid) if self._own else (0, 0))
        joined = dataclasses.replace(
            member, mode=stat.S_IMODE(status.st_mode), uid=uid, gid=gid, mtime=status.st_mtime_ns
        )
        if stat.S_ISLNK(status.st_mode):
            return dataclasses.replace(joined, kind="symlink", link=os.readlink(target[-1], dir_fd=folder))
        if (digest := self._contents.get(status.st_ino)) is None:
            digest = _digest(target[-1], folder, status)
            self._contents[status.st_ino] = digest
        return dataclasses.replace(joined, digest=digest, size=status.st_size, link="/".join(target))

    def _special(self, folder: int, name: str, member: Member) -> Member | None:
        if member.kind == "symlink":
            os.symlink(member.link, name, dir_fd=folder)
            self._born(os.stat(name, dir_fd=folder, follow_symlinks=False), member)
            if self._own:
                os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
            os.utime(name, ns=(member.mtime, member.mtime), dir_fd=folder, follow_symlinks=False)
            return member
        types = {"char": stat.S_IFCHR, "block": stat.S_IFBLK, "fifo": stat.S_IFIFO}
        device = os.makedev(*member.device)
        if member.kind == "char" and not device:
            return None  # a whiteout in overlayfs's own form is no business of an image
        try:
            os.mknod(name, types[member.kind] | member.mode, device, dir_fd=folder)
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise
            return None
        if self._own:
            os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
        # Making it was subject to the umask, and a change of owner takes bits away.
        os.chmod(name, member.mode, dir_fd=folder)
        os.utime(name, ns=(member.mtime, member.mtime), dir_fd=folder)
        return member

    def _attributes(self, descriptor: int, member: Member) -> None:
        if self._own:
            os.fchown(descriptor, member.uid, member.gid)
        for name, value in member.xattrs:
            try:
                os.setxattr(descriptor, name, value)
            except OSError as error:
                if error.errno not in _NOT_ALLOWED:
                    raise
        os.fchmod(descriptor, member.mode)
        os.utime(descriptor, ns=(member.mtime, member.mtime))


def _written(content: Iterable[bytes], descriptor: int) -> str:
    """Write a file's content; its digest."""
    digest = hashlib.sha256()
    for chunk in content:
        digest.update(chunk)
        written = os.write(descriptor, chunk)
        while written < len(chunk):
            written += os.write(descriptor, chunk[written:])
    # A million empty files share the one text.
    return sys.intern(f"sha256:{digest.hexdigest()}")


def _digest(name: str, folder: int, status: os.stat_result) -> str:
    """The digest of a file of ours, which need not be one that we may read."""
    mode = stat.S_IMODE(status.st_mode)
    os.chmod(name, mode | stat.S_IRUSR, dir_fd=folder)
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    with open(descriptor, "rb") as stream:
        os.fchmod(descriptor, mode)
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _member(info: tarfile.TarInfo, place: tuple[str, ...], kind: Kind) -> Member:
    # Attributes of overlayfs in a tar could redirect the mount to other files.
    xattrs = tuple(
        (name.removeprefix(_XATTR), value.encode("utf-8", "surrogateescape"))
        for name, value in sorted(info.pax_headers.items())
        if name.startswith(_XATTR) and ".overlay." not in name
    )
    return dataclasses.replace(from_tar(info, "/".join(place), kind), xattrs=xattrs)
