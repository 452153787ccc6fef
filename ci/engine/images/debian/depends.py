"""Which packages it takes: the closure of dependencies, from nothing, without Recommends."""

from collections import deque
from collections.abc import Iterable

from ci.engine.images.debian.packages import Index, Package, Relation
from ci.engine.images.errors import BootstrapFailed


def closure(index: Index, names: Iterable[str]) -> list[Package]:
    """The basic system, `names`, and all that they depend on, by name; Recommends are left out.

    Raises BootstrapFailed when a dependency cannot be satisfied, or two of the packages exclude each other.
    """
    # The basic system comes first, so that "awk" means the one it has.
    chosen = _Chosen()
    wanted = deque(index.basic())
    for name in names:
        if name not in index:
            raise BootstrapFailed(f"the archive has no package {name!r}: another suite may have it")
        wanted.append(index[name])
    for package in wanted:
        chosen.add(package)
    while wanted:
        package = wanted.popleft()
        for alternatives in package.depends:
            if not chosen.satisfy(alternatives):
                needed = _choose(index, package, alternatives)
                chosen.add(needed)
                wanted.append(needed)
    chosen.check()
    return sorted(chosen.packages.values(), key=lambda package: package.name)


class _Chosen:
    """The packages chosen so far, also by the names they answer to."""

    def __init__(self) -> None:
        self.packages: dict[str, Package] = {}
        self._by_offer: dict[str, list[Package]] = {}

    def add(self, package: Package) -> None:
        """Choose a package."""
        if package.name in self.packages:
            return
        self.packages[package.name] = package
        for name in {package.name, *(offer.name for offer in package.provides)}:
            self._by_offer.setdefault(name, []).append(package)

    def satisfy(self, alternatives: Iterable[Relation]) -> bool:
        """Whether one of the alternatives is among them."""
        return any(
            package.answers(each) for each in alternatives for package in self._by_offer.get(each.name, ())
        )

    def check(self) -> None:
        """Raise BootstrapFailed when two exclude each other."""
        for package in self.packages.values():
            for relation in package.conflicts:
                for other in self._by_offer.get(relation.name, ()):
                    if other is not package and other.answers(relation):
                        raise BootstrapFailed(
                            f"{package.name} {package.version} excludes {other.name} {other.version}, "
                            "which is needed too: "
                            "the mirror may be between two states; try again in an hour"
                        )


def _choose(index: Index, package: Package, alternatives: tuple[Relation, ...]) -> Package:
    for relation in alternatives:
        if relation.name in index and index[relation.name].answers(relation):
            return index[relation.name]
        for provider in index.providers(relation.name):
            if provider.answers(relation):
                return provider
    needed = " or ".join(str(each) for each in alternatives)
    raise BootstrapFailed(
        f"{package.name} {package.version} needs {needed}, which is not there: "
        "the mirror may be incomplete; try another"
    )
