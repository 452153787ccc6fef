"""Which names of images have an equivalent made of Debian packages."""

import pytest

from ci.engine.images import parse_reference
from ci.engine.images.debian.recipes import Recipe, recipe, suites


@pytest.mark.parametrize(
    ("name", "wanted", "places"),
    [
        ("python:3.11-slim", Recipe("python", None, "3.11", slim=True), ("bookworm",)),
        ("python:3.11", Recipe("python", None, "3.11"), ("bookworm",)),
        ("python:3.11.2-slim", Recipe("python", None, "3.11", slim=True), ("bookworm",)),
        ("python:3.13-slim-trixie", Recipe("python", "trixie", "3.13", slim=True), ("trixie",)),
        ("python:3.9-bullseye", Recipe("python", "bullseye", "3.9"), ("bullseye",)),
        ("python:3.12-slim", Recipe("python", None, "3.12", slim=True), ()),
        ("python:3.99", Recipe("python", None, "3.99"), ("testing", "unstable")),
        ("python:3-slim", Recipe("python", "trixie", "", slim=True), ("trixie",)),
        ("python:slim", Recipe("python", "trixie", "", slim=True), ("trixie",)),
        ("python", Recipe("python", "trixie"), ("trixie",)),
        ("debian", Recipe("debian", "trixie"), ("trixie",)),
        ("debian:12", Recipe("debian", "bookworm"), ("bookworm",)),
        ("debian:12.5-slim", Recipe("debian", "bookworm", slim=True), ("bookworm",)),
        ("debian:bookworm-slim", Recipe("debian", "bookworm", slim=True), ("bookworm",)),
        ("debian:stable", Recipe("debian", "trixie"), ("trixie",)),
        ("busybox", Recipe("busybox", "trixie"), ("trixie",)),
        ("busybox:1.36-musl", Recipe("busybox", "trixie"), ("trixie",)),
        ("alpine:3.20", Recipe("busybox", "trixie", alpine="3.20.0"), ("trixie",)),
        ("alpine:3.20.2", Recipe("busybox", "trixie", alpine="3.20.2"), ("trixie",)),
        ("alpine", Recipe("busybox", "trixie", alpine="3.22.0"), ("trixie",)),
    ],
)
def test_well_known_images_have_a_recipe(name, wanted, places):
    found = recipe(parse_reference(name))
    assert found == wanted
    assert suites(found) == places


@pytest.mark.parametrize(
    "name",
    [
        "python:3.11-alpine",
        "python:2.7",
        "python:3.11-slim-wheezy",
        "python:3.11-windowsservercore",
        "debian:wheezy",
        "debian:bookworm-20240101",
        "redis:7",
        "alpine:20240101",
        "busybox:whatever",
        "ghcr.io/library/python:3.11",
        "someone/python:3.11",
        "python@sha256:" + "0" * 64,
    ],
)
def test_other_images_have_none(name):
    assert recipe(parse_reference(name)) is None
