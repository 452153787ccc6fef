"""``dagger.json``: a module's name, its SDK, where its source is, and what it depends on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from ci.engine.errors import EngineError
from ci.engine.graph.fingerprint import Digested

FILENAME = "dagger.json"


@dataclass(frozen=True)
class Dependency(Digested):
    """Another module, under a name of the depending one's choice; ``source`` is a reference to it."""

    name: str
    source: str
    pin: str = ""


@dataclass(frozen=True)
class Config(Digested):
    """What a dagger.json says; ``rest`` is what this engine does not read, as JSON, to be written back."""

    name: str = ""
    engine_version: str = ""
    sdk: str = ""
    sdk_debug: bool = False
    include: tuple[str, ...] = ()
    source: str = ""
    dependencies: tuple[Dependency, ...] = ()
    cached_functions: bool = True
    rest: str = "{}"

    @classmethod
    def parse(cls, text: bytes, place: str) -> Config:
        """Read a dagger.json.

        Raises:
            EngineError: it is no JSON, or not of that form; the message names ``place``.
        """
        try:
            document = json.loads(text)
            return cls._of(document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise EngineError(f"{place}: not a module's configuration: {error}") from error

    @classmethod
    def _of(cls, document: dict[str, Any]) -> Config:
        rest = {key: value for key, value in document.items() if key not in _READ}
        sdk = document.get("sdk") or ""
        debug = False
        if isinstance(sdk, dict):
            debug = bool(sdk.get("debug", False))
            sdk = sdk.get("source", "")
        dependencies = tuple(
            Dependency(d.get("name") or "", d["source"], d.get("pin") or "")
            for d in document.get("dependencies") or ()
        )
        return cls(
            name=document.get("name") or "",
            engine_version=document.get("engineVersion") or "",
            sdk=sdk,
            sdk_debug=debug,
            include=tuple(document.get("include") or ()),
            source=document.get("source") or "",
            dependencies=dependencies,
            cached_functions=not document.get("disableDefaultFunctionCaching", False),
            rest=json.dumps(rest),
        )

    def text(self) -> str:
        """As it is written, with the keys in the order that Dagger has them in."""
        document: dict[str, Any] = {"name": self.name}
        if self.engine_version:
            document["engineVersion"] = self.engine_version
        if self.sdk:
            document["sdk"] = {"source": self.sdk} | ({"debug": True} if self.sdk_debug else {})
        if self.include:
            document["include"] = list(self.include)
        if self.dependencies:
            document["dependencies"] = [_dependency(each) for each in self.dependencies]
        if self.source and self.source != ".":
            document["source"] = self.source
        if not self.cached_functions:
            document["disableDefaultFunctionCaching"] = True
        return json.dumps(document | json.loads(self.rest), indent=2, ensure_ascii=False) + "\n"

    def with_dependency(self, dependency: Dependency) -> Config:
        """With a dependency, in place of one of the same name."""
        kept = tuple(each for each in self.dependencies if each.name != dependency.name)
        found = sorted((*kept, dependency), key=lambda each: each.name)
        return replace(self, dependencies=tuple(found))


_READ = frozenset(
    {
        "name",
        "engineVersion",
        "sdk",
        "include",
        "dependencies",
        "source",
        "disableDefaultFunctionCaching",
    }
)


def _dependency(dependency: Dependency) -> dict[str, str]:
    found = {"name": dependency.name, "source": dependency.source}
    return found | ({"pin": dependency.pin} if dependency.pin else {})
