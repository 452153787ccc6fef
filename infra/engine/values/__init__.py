"""Property values: what resources are given and what they answer, plain JSON plus a few marked kinds."""

from infra.engine.values.kinds import (
    UNKNOWN,
    Archive,
    Asset,
    Output,
    Properties,
    ResourceReference,
    Secret,
    Unknown,
    Value,
)

__all__ = [
    "UNKNOWN",
    "Archive",
    "Asset",
    "Output",
    "Properties",
    "ResourceReference",
    "Secret",
    "Unknown",
    "Value",
]
