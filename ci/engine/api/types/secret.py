"""``Secret``: values that steps may see and nothing else may keep."""

from ci.engine.api.registry import Call, serves
from ci.engine.graph.secret import Secret


@serves("Query")
def set_secret(call: Call, _parent: object, *, name: str, plaintext: str) -> Secret:
    """A secret with a value from the client."""
    return call.session.secrets.set(name, plaintext.encode())


@serves("Query")
async def secret(call: Call, _parent: object, *, uri: str, cache_key: str | None = None) -> Secret:
    """A secret that a provider has; those of a module's code are of its own container."""
    if call.client.module is not None:
        from ci.engine.modules.running import own_secrets

        return await own_secrets.refer(call, uri, cache_key)
    return call.session.secrets.refer(uri, cache_key)


@serves("Secret", field="name")
def secret_name(_call: Call, parent: Secret) -> str:
    """The name it was set by; one from a provider has none."""
    return "" if parent.uri else parent.name


@serves("Secret", field="uri")
def secret_uri(_call: Call, parent: Secret) -> str:
    """Where it comes from."""
    return parent.uri


@serves("Secret", field="plaintext")
async def secret_plaintext(call: Call, parent: Secret) -> str:
    """Its value."""
    return (await call.session.secrets.plaintext(parent)).decode("utf-8", "surrogateescape")
