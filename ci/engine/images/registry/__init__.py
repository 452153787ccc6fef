"""Images in registries, over the OCI distribution protocol."""

from typing import TYPE_CHECKING, Any

from ci.engine.images.registry.credentials import Credentials, Login

if TYPE_CHECKING:
    from ci.engine.images.registry.client import Registry

__all__ = ["Credentials", "Login", "Registry"]


def __getattr__(name: str) -> Any:
    # The client needs httpx, a tenth of a second to import; logins are known long before it is used.
    if name == "Registry":
        from ci.engine.images.registry.client import Registry

        return Registry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
