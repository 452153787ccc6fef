"""Dagger's GraphQL API: the schema, derived from the installed SDK, and the resolvers that answer it."""

RESOLVERS = (
    "ci.engine.api.types.query",
    "ci.engine.api.types.secret",
    "ci.engine.api.types.cache_volume",
    "ci.engine.api.types.error",
    "ci.engine.api.types.json_value",
)
"""The modules whose resolvers are served, one a GraphQL type."""
