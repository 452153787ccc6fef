"""Google Cloud over its REST APIs, as Pulumi's ``gcp`` package has it: names, defaults, ids, differences."""

from infra.engine.providers.gcp.provider import SERVED, Gcp

__all__ = ["SERVED", "Gcp", "provider"]


def provider() -> Gcp:
    """A provider that is not configured yet."""
    return Gcp()
