"""Artifact Registry: repositories, and what was pushed into them."""

from infra.local.control.artifacts.cloud import LIBRARY, Artifacts
from infra.local.control.artifacts.stored import StoredRepositories

__all__ = ["LIBRARY", "Artifacts", "StoredRepositories"]
