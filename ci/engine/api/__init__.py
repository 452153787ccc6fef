"""Dagger's GraphQL API: the schema, derived from the installed SDK, and the resolvers that answer it."""

RESOLVERS = (
    "ci.engine.api.query",
    "ci.engine.api.secret",
    "ci.engine.api.cache_volume",
    "ci.engine.api.error",
    "ci.engine.api.json_value",
)
"""The modules whose resolvers are served, one a GraphQL type."""
