"""The version of Pulumi that is spoken here."""

from __future__ import annotations


def version_of_engine() -> str:
    """The version of the SDK that is installed: the protocol and the formats are those of its own CLI."""
    from importlib.metadata import version

    return f"v{version('pulumi')}"
