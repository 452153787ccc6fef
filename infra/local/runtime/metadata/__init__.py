"""The metadata server of an instance: who it is, and tokens that say so."""

from infra.local.runtime.metadata.identity import Identity
from infra.local.runtime.metadata.server import Metadata, Self

__all__ = ["Identity", "Metadata", "Self"]
