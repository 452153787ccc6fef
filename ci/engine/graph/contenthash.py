"""Digests of files and directories as Dagger's ``digest`` fields give them.

A file's is that of a tar header without its time ("tarsum" version 1, Docker's specification) and the
bytes behind it; a directory's that of its own header and of the names and digests in it (BuildKit's
content hash).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ci.engine.store.tree import BLOCK, CHARACTER, DIRECTORY, FIFO, REGULAR, SYMLINK, Entry

if TYPE_CHECKING:
    from ci.engine.store.store import Store

_CHUNK = 1 << 20
_FLAGS = {REGULAR: "0", SYMLINK: "2", CHARACTER: "3", BLOCK: "4", DIRECTORY: "5", FIFO: "6"}


def _header(entry: Entry) -> bytes:
    link = entry.digest if entry.kind == SYMLINK else ""
    device = entry.digest if entry.kind in {CHARACTER, BLOCK} else "0:0"
    major, minor = device.split(":")
    size = entry.size if entry.kind == REGULAR else 0
    return (
        f"namemode{entry.mode & 0o7777}uid{entry.uid}gid{entry.gid}size{size}typeflag{_FLAGS[entry.kind]}"
        f"linkname{link}unamegnamedevmajor{major}devminor{minor}"
    ).encode("utf-8", "surrogateescape")


def digest(store: Store, entry: Entry) -> str:
    """The digest (``sha256:...``) of what ``entry`` names, read from the store. Blocking.

    Raises:
        Lost: bytes that it is made of are no longer in the store.
    """
    hasher = hashlib.sha256()
    if entry.kind == DIRECTORY:
        own = hashlib.sha256(_header(entry)).hexdigest()
        hasher.update(f"\0sha256:{own}".encode())
        listing = store.trees.load(entry.digest)
        for name in sorted(listing, key=lambda name: name.encode("utf-8", "surrogateescape")):
            hasher.update(b"\0" + name.encode("utf-8", "surrogateescape"))
            hasher.update(digest(store, listing[name]).encode())
        return f"sha256:{hasher.hexdigest()}"
    hasher.update(_header(entry))
    if entry.kind == REGULAR:
        with store.open(entry.digest) as stream:
            while chunk := stream.read(_CHUNK):
                hasher.update(chunk)
    return f"sha256:{hasher.hexdigest()}"


def content_digest(entry: Entry) -> str:
    """The digest of a file's bytes alone: that of their sha256, as Dagger has it."""
    return f"sha256:{hashlib.sha256(bytes.fromhex(entry.digest)).hexdigest()}"
