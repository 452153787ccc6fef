"""The corpus: rooms of small pipelines, each named by what it asks."""

from collections.abc import Mapping

from tests.parity.corpus import (
    addresses,
    changes,
    configs,
    directories,
    dockerfiles,
    files,
    hosts,
    images,
    mounts,
    patterns,
    repositories,
    secrets,
    services,
    steps,
    values,
)
from tests.parity.world import Room

ROOMS: Mapping[str, Room] = {
    module.__name__.rpartition(".")[2]: module.PIPELINES
    for module in (
        addresses,
        changes,
        configs,
        directories,
        dockerfiles,
        files,
        hosts,
        images,
        mounts,
        patterns,
        repositories,
        secrets,
        services,
        steps,
        values,
    )
}
