"""``facts.json``: what a session used, without anything that means something on its own machine only."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ci.engine.cache.entries import NEAR
from ci.engine.cache.reach import DIGEST
from ci.engine.store.tree import decode, encode

VERSION = 1
NAME = "facts.json"
#: The label on an image that holds a cache, and its value.
LABEL = ("io.shipway.cache", str(VERSION))
#: The kinds of facts that mean the same on every machine.
KINDS = ("exec", "chain", "sdk")


class Unreadable(ValueError):
    """A cache that is damaged, or is none."""


@dataclass(frozen=True, slots=True)
class Document:
    """Facts as (kind, key, value); listings and texts by digest; base images as (name, digest, layers)."""

    facts: tuple[tuple[str, str, Any], ...]
    nodes: Mapping[str, bytes]
    packs: tuple[str, ...]
    images: tuple[tuple[str, str], ...]
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """As it is exported; the same values give the same bytes."""
        value = {
            "version": VERSION,
            "facts": sorted([kind, key, without_near(value)] for kind, key, value in self.facts),
            "nodes": {name: _text(data) for name, data in sorted(self.nodes.items())},
            "packs": list(self.packs),
            "images": sorted([name, digest] for name, digest in self.images),
            "blobs": {name: _text(data) for name, data in sorted(self.blobs.items())},
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Document:
        """As it was exported, every listing and text compared with its digest.

        Raises:
            Unreadable: it is something else, or damaged.
        """
        try:
            value = json.loads(data)
            if value["version"] != VERSION:
                raise Unreadable(f"it has version {value['version']}, not {VERSION}")
            nodes = {str(name): base64.b64decode(text) for name, text in value["nodes"].items()}
            blobs = {str(name): base64.b64decode(text) for name, text in value["blobs"].items()}
            facts = tuple((str(kind), str(key), found) for kind, key, found in value["facts"])
            packs = tuple(str(each) for each in value["packs"])
            images = tuple((str(name), str(digest)) for name, digest in value["images"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unreadable(str(error) or type(error).__name__) from error
        wrong = next((name for name, data in nodes.items() if not _right(name, data)), None)
        if wrong is not None:
            raise Unreadable(f"its listing {wrong} is damaged")
        if unknown := {kind for kind, _, _ in facts} - {*KINDS, NEAR}:
            raise Unreadable(f"it has facts of the kind {min(unknown)}")
        return cls(facts, nodes, packs, images, blobs)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _right(name: str, data: bytes) -> bool:
    if name.startswith("text:"):
        return hashlib.sha256(data).hexdigest() == name.removeprefix("text:")
    try:
        return encode(decode(data))[0] == name
    except (ValueError, TypeError, IndexError):
        return False


def without_near(value: Any) -> Any:
    """A fact's value without the numbers of layers, which are those of one machine."""
    if isinstance(value, dict):
        return {name: None if name == "near" else without_near(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    return [
        None if position and isinstance(item, int) and _is_digest(value[position - 1]) else without_near(item)
        for position, item in enumerate(value)
    ]


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def trees(facts: Iterable[tuple[str, str, Any]]) -> set[str]:
    """The digests that facts name."""
    return {digest for _, _, value in facts for digest in DIGEST.findall(json.dumps(value))}
