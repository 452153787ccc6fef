"""Dagger's GraphQL API: the schema, derived from the installed SDK, and the resolvers that answer it."""

RESOLVERS = (
    "ci.engine.api.types.query",
    "ci.engine.api.types.secret",
    "ci.engine.api.types.cache_volume",
    "ci.engine.api.types.error",
    "ci.engine.api.types.json_value",
    "ci.engine.api.types.container_config",
    "ci.engine.api.types.container_files",
    "ci.engine.api.types.container_run",
    "ci.engine.api.types.container_image",
    "ci.engine.api.types.healthcheck",
    "ci.engine.api.types.docker_build",
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
)
"""The modules whose resolvers are served, one a GraphQL type."""
