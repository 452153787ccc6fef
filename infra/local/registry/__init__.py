"""The OCI registry behind Artifact Registry: what is pushed here can be deployed from here."""

from infra.local.registry.app import Registry
from infra.local.registry.repositories import AnyRepository, Repositories, Repository
from infra.local.registry.resolve import Resolver

__all__ = ["AnyRepository", "Registry", "Repositories", "Repository", "Resolver"]
