"""The metadata server of instances: who each of them is, and tokens that say so."""

from infra.local.runtime.metadata.connection import Connection
from infra.local.runtime.metadata.identity import Identity
from infra.local.runtime.metadata.server import Answer, Metadata, Self

__all__ = ["Answer", "Connection", "Identity", "Metadata", "Self"]
