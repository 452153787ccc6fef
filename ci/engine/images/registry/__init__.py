"""Images in registries, over the OCI distribution protocol."""

from ci.engine.images.registry.client import Registry
from ci.engine.images.registry.credentials import Credentials, Login

__all__ = ["Credentials", "Login", "Registry"]
