"""The hashes of assets and archives, by which a changed file is noticed.

Source: sdk/go/common/resource/{asset,archive}.
"""

from __future__ import annotations

import hashlib
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from infra.engine.values import tar
from infra.engine.values.kinds import Archive, Asset, Output, Properties, Secret, Value

_ARCHIVES = (".tar", ".tgz", ".tar.gz", ".zip", ".jar")
_BOOKKEEPING = ".pulumi"


class AssetError(ValueError):
    """A file that a program names can't be read; the text is for a user."""


def with_hashes(properties: Properties, directory: Path) -> Properties:
    """``properties`` with each asset's and archive's hash filled in; relative paths are from ``directory``.

    Raises AssetError when a file can't be read.
    """
    return {key: _hashed(value, directory) for key, value in properties.items()}


def _hashed(value: Value, directory: Path) -> Value:  # noqa: PLR0911 - one case each
    if isinstance(value, dict):
        return with_hashes(value, directory)
    if isinstance(value, list):
        return [_hashed(item, directory) for item in value]
    if isinstance(value, Secret):
        return Secret(_hashed(value.element, directory))
    if isinstance(value, Output):
        return replace(value, element=_hashed(value.element, directory))
    if isinstance(value, Asset) and not value.hash:
        return replace(value, hash=hashlib.sha256(_content(value, directory)).hexdigest())
    if isinstance(value, Archive) and not value.hash:
        return _hashed_archive(value, directory)
    return value


def _hashed_archive(archive: Archive, directory: Path) -> Archive:
    digest = hashlib.sha256()
    source = archive.path or archive.uri or ""
    if source.endswith(_ARCHIVES):
        digest.update(_content(Asset(path=archive.path, uri=archive.uri), directory))
    else:
        seen: set[str] = set()
        for name, content in _members(archive, directory):
            if name not in seen:
                seen.add(name)
                digest.update(tar.entry(name, content))
        digest.update(tar.END)
    assets = archive.assets
    if assets is not None:
        assets = {name: _hashed_member(member, directory) for name, member in assets.items()}
    return replace(archive, hash=digest.hexdigest(), assets=assets)


def _hashed_member(member: Asset | Archive, directory: Path) -> Asset | Archive:
    hashed = _hashed(member, directory)
    return hashed if isinstance(hashed, Asset | Archive) else member


def _members(archive: Archive, directory: Path) -> Iterator[tuple[str, bytes]]:
    """File name and content, names in order."""
    if archive.assets is not None:
        for name in sorted(archive.assets):
            member = archive.assets[name]
            if isinstance(member, Asset):
                yield name, _content(member, directory)
            else:
                for inner, content in _members(member, directory):
                    yield f"{name.rstrip('/')}/{inner}", content
        return
    if archive.path is None:
        raise AssetError(
            f"archive {archive.uri!r} is no recognized archive type: it has to end in one of {_ARCHIVES}"
        )
    root = directory / archive.path
    if not root.is_dir():
        what = f"couldn't read archive path '{root}': no such file or directory"
        known = f"'{root}' is neither a recognized archive type nor a directory"
        raise AssetError(known if root.exists() else what)
    for path in _walk(root):
        yield path.relative_to(root).as_posix(), path.read_bytes()


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name.encode()):
        if path.name == _BOOKKEEPING:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        elif not path.is_dir():
            yield path


def _content(asset: Asset, directory: Path) -> bytes:
    if asset.text is not None:
        return asset.text.encode("utf-8", "surrogateescape")
    if asset.path is not None:
        path = directory / asset.path
        if path.is_dir():
            raise AssetError(f"asset path '{path}' is a directory; try using an archive")
        try:
            return path.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise AssetError(f"failed to open asset file '{path}': open {path}: {reason}") from error
    uri = urllib.parse.urlsplit(asset.uri or "")
    if uri.scheme == "file":
        return _content(Asset(path=urllib.request.url2pathname(uri.path)), directory)
    if uri.scheme not in ("http", "https"):
        raise AssetError(f"Unrecognized or unsupported URI scheme: {uri.scheme}")
    try:
        with urllib.request.urlopen(asset.uri or "") as answer:  # noqa: S310 - http and https alone get here
            content: bytes = answer.read()
            return content
    except OSError as error:
        raise AssetError(f"failed to fetch asset {asset.uri}: {error}") from error


def contains_files(value: Value) -> bool:
    """Whether there is any asset or archive inside ``value``."""
    if isinstance(value, dict):
        return any(contains_files(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_files(item) for item in value)
    if isinstance(value, Secret | Output):
        return contains_files(value.element)
    return isinstance(value, Asset | Archive)
