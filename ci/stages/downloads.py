"""Takes this machine's download settings to the steps that download, and nowhere else.

They travel as two secrets mounted under `/run/host`. Both are always there, with the same names, be they
empty: so a step's cache key is the same on every machine, behind a proxy or not. Neither is in the
environment of the container, and both are unmounted again before it goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dagger
from dagger import dag

from ci.host_settings import HostSettings

SETTINGS = "/run/host/settings"
CA_BUNDLE = "/run/host/ca.pem"
WITH_SETTINGS = f'. {SETTINGS} && exec "$@"'


@dataclass(frozen=True, slots=True)
class Downloads:
    """How to reach package indexes from inside a container."""

    settings: dagger.Secret
    ca_bundle: dagger.Secret

    def run(self, container: dagger.Container, command: Sequence[str]) -> dagger.Container:
        """Run a command that downloads, with the host's settings in its environment only."""
        return (
            container.with_mounted_secret(SETTINGS, self.settings)
            .with_mounted_secret(CA_BUNDLE, self.ca_bundle)
            .with_exec(["sh", "-c", WITH_SETTINGS, "download", *command])
            .without_mount(SETTINGS)
            .without_mount(CA_BUNDLE)
        )


def from_host(host: HostSettings) -> Downloads:
    """The host's settings as secrets.

    A CA bundle is usually larger than what `setSecret` takes, hence by its path; the cache key given with
    it keeps its content, and whether there is one, out of every step's own key.
    """
    path = host.ca_bundle or "/dev/null"
    return Downloads(
        settings=dag.set_secret("shipway-host-settings", host.exports(CA_BUNDLE if host.ca_bundle else None)),
        ca_bundle=dag.secret(f"file://{path}", cache_key="shipway-ca-bundle"),
    )
