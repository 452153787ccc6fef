"""Dagger's GraphQL API: the schema, derived from the installed SDK, and the resolvers that answer it."""

from ci.engine.partial import in_parts

in_parts("graphql")  # what parses queries is a third of it

RESOLVERS = (
    "ci.engine.api.types.query",
    "ci.engine.api.types.engine",
    "ci.engine.api.types.engine_cache",
    "ci.engine.api.types.secret",
    "ci.engine.api.types.cache_volume",
    "ci.engine.api.types.error",
    "ci.engine.api.types.json_value",
    "ci.engine.api.types.container.config",
    "ci.engine.api.types.container.files",
    "ci.engine.api.types.container.run",
    "ci.engine.api.types.container.export",
    "ci.engine.api.types.container.image",
    "ci.engine.api.types.container.healthcheck",
    "ci.engine.api.types.dockerfile.build",
    "ci.engine.api.types.git",
    "ci.engine.api.types.address",
    "ci.engine.api.types.directory",
    "ci.engine.api.types.directory_files",
    "ci.engine.api.types.file",
    "ci.engine.api.types.search",
    "ci.engine.api.types.changeset",
    "ci.engine.api.types.env_file",
    "ci.engine.api.types.http",
    "ci.engine.api.types.host",
    "ci.engine.api.types.service",
    "ci.engine.api.types.terminal",
    "ci.engine.api.types.modules.typedefs",
    "ci.engine.api.types.modules.functions",
    "ci.engine.api.types.modules.module",
    "ci.engine.api.types.modules.source",
    "ci.engine.api.types.modules.editing",
    "ci.engine.api.types.modules.checks",
    "ci.engine.api.types.modules.generated_code",
    "ci.engine.api.types.modules.current",
    "ci.engine.api.types.modules.served",
)
"""The modules whose resolvers are served, one a GraphQL type."""
