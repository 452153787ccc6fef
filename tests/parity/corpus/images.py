"""Images: made, exported, read again, and refused."""

import json
import tarfile

from tests.parity.world import Room, World


def _small(world: World):
    return (
        world.dag.container()
        .with_rootfs(world.tree("bin/", "etc/name"))
        .with_env_variable("A", "1")
        .with_label("org.opencontainers.image.title", "small")
        .with_annotation("org.opencontainers.image.licenses", "MIT")
        .with_entrypoint(["/bin/x"])
        .with_default_args(["-v"])
        .with_workdir("/etc")
        .with_user("12:34")
        .with_exposed_port(80)
    )


async def _archive(world: World, container) -> tuple[dict, dict, list[str]]:
    path = world.folder / "image.tar"
    await container.export(str(path))
    with tarfile.open(path) as archive:

        def blob(digest: str) -> dict:
            file = archive.extractfile("blobs/" + digest.replace(":", "/"))
            assert file is not None
            return json.load(file)

        index_file = archive.extractfile("index.json")
        assert index_file is not None
        described = json.load(index_file)["manifests"][0]
        manifest = blob(described["digest"])
        return manifest, blob(manifest["config"]["digest"]), sorted(archive.getnames())


async def _config(world: World) -> object:
    return (await _archive(world, _small(world)))[1]["config"]


async def _manifest(world: World) -> object:
    manifest = (await _archive(world, _small(world)))[0]
    return {
        "annotations": manifest.get("annotations"),
        "type": manifest["mediaType"],
        "config": manifest["config"]["mediaType"],
        "layers": sorted({layer["mediaType"] for layer in manifest["layers"]}),
    }


async def _docker(world: World) -> object:
    import dagger

    path = world.folder / "docker.tar"
    await _small(world).export(str(path), media_types=dagger.ImageMediaTypes.DOCKER)
    with tarfile.open(path) as archive:
        return "manifest.json" in archive.getnames()


async def _again(world: World) -> object:
    container = world.dag.container().import_(_small(world).as_tarball())
    return [
        await container.entrypoint(),
        await container.default_args(),
        await container.workdir(),
        await container.user(),
        await container.env_variable("A"),
        await container.label("org.opencontainers.image.title"),
        [await port.port() for port in await container.exposed_ports()],
        await container.rootfs().glob("**"),
    ]


async def _layers_and_config(world: World, container) -> object:
    manifest, config, _names = await _archive(world, container)
    return [len(manifest["layers"] or ()), config["os"], config["architecture"], config.get("config")]


async def _annotations(world: World) -> object:
    container = (
        _small(world).without_annotation("org.opencontainers.image.licenses").with_annotation("a", "b")
    )
    return (await _archive(world, container))[0].get("annotations")


PIPELINES: Room = {
    "an image's configuration": _config,
    "an image's manifest": _manifest,
    "an image in Docker's form": _docker,
    "an image read again": _again,
    "an image's name as a file": lambda w: _small(w).as_tarball().name(),
    "an empty image is exported": lambda w: _layers_and_config(w, w.dag.container()),
    "an image of an empty directory is exported": lambda w: _layers_and_config(
        w, w.dag.container().with_rootfs(w.directory())
    ),
    "an image of a label alone is exported": lambda w: _layers_and_config(
        w, w.dag.container().with_label("a", "b")
    ),
    "an image's layers": lambda w: _layers_and_config(
        w, w.dag.container().with_new_file("/a", "a").with_directory("/d", w.tree("x", "y"))
    ),
    "an import of what is no image": lambda w: (
        w.dag.container()
        .import_(w.dag.directory().with_new_file("x.tar", "nope").file("x.tar"))
        .rootfs()
        .entries()
    ),
    "an import of an empty file": lambda w: (
        w.dag.container()
        .import_(w.dag.directory().with_new_file("x.tar", "").file("x.tar"))
        .rootfs()
        .entries()
    ),
    "a malformed reference": lambda w: w.dag.container().from_("UPPER/Case").rootfs().entries(),
    "a malformed tag": lambda w: w.dag.container().from_("alpine:a:b").rootfs().entries(),
    "an empty reference": lambda w: w.dag.container().from_("").rootfs().entries(),
    "a registry that is not there": lambda w: (
        w.dag.container().from_("127.0.0.1:1/nothing:1").rootfs().entries()
    ),
    "a publish to a registry that is not there": lambda w: _small(w).publish("127.0.0.1:1/nothing:1"),
    "a publish to a malformed reference": lambda w: _small(w).publish("UPPER/Case"),
    "the reference of an image that was made": lambda w: _small(w).image_ref(),
    "an image exported to a folder": lambda w: _small(w).export(str(w.folder)),
    "a root that is replaced": lambda w: w.base.with_rootfs(w.tree("only")).rootfs().entries(),
    "a root that is replaced keeps the configuration": lambda w: (
        w.base.with_env_variable("A", "1").with_rootfs(w.tree("only")).env_variable("A")
    ),
    "annotations are taken away": _annotations,
}
