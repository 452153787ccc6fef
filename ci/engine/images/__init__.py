"""Images: references, layers, archives, registries, and base images bootstrapped from Debian packages."""
