"""Addresses: text as on a command line, and what it stands for."""

from tests.parity.world import Room, World


async def _folder(world: World, lead: str = "") -> list[str]:
    return (
        await world.dag.address(lead + world.on_host({"a.py": "", "b/c.txt": ""}))
        .directory(exclude=["*.py"])
        .glob("**")
    )


async def _ports(world: World) -> list[object]:
    ports = await world.dag.address("tcp://localhost:1234").service().ports()
    return [[await port.port(), await port.protocol()] for port in ports]


PIPELINES: Room = {
    "an address's value": lambda w: w.dag.address("anything").value(),
    "an empty address": lambda w: w.dag.address("").value(),
    "a directory of the host": _folder,
    "a directory of the host by a URL": lambda w: _folder(w, "file://"),
    "a directory that is not there": lambda w: w.dag.address(str(w.folder / "nope")).directory().entries(),
    "a file of the host": lambda w: w.dag.address(w.on_host({"f": "text"}) + "/f").file().contents(),
    "a secret by a name": lambda w: w.dag.address("PARITY_SECRET").secret().plaintext(),
    "a secret in the old form": lambda w: w.dag.address("env:PARITY_SECRET").secret().uri(),
    "a secret with a cache key": lambda w: (
        w.dag.address("env://PARITY_SECRET?cacheKey=k").secret().plaintext()
    ),
    "a secret of a provider that is none": lambda w: w.dag.address("nope://x").secret().plaintext(),
    "a service of another protocol": lambda w: w.dag.address("http://localhost:80").service().hostname(),
    "a service without a port": lambda w: w.dag.address("tcp://localhost").service().hostname(),
    "a service's ports": _ports,
    "an image that cannot be": lambda w: w.dag.address("UPPER/Case").container().rootfs().entries(),
    "a repository with a ref": lambda w: w.dag.address("https://a.b/c#main").git_repository().url(),
    "a repository's address": lambda w: w.dag.address("https://a.b/c").git_repository().url(),
}
