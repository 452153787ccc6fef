"""``dockerBuild``: a Dockerfile's instructions as fields of ``Container``."""
