"""``GeneratedCode``: code that an SDK made, and which of its files a repository should know of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.graph.files import Directory
from ci.engine.graph.fingerprint import Digested


@dataclass(frozen=True)
class GeneratedCode(Digested):
    """Generated code: patterns of what was generated, and of what is not to be committed."""

    code: Directory
    vcs_generated_paths: tuple[str, ...] = ()
    vcs_ignored_paths: tuple[str, ...] = ()


serves_attributes("GeneratedCode", "code", "vcs_generated_paths", "vcs_ignored_paths")


@serves("Query")
def generated_code(_call: Call, _parent: object, *, code: Directory) -> GeneratedCode:
    """A directory as generated code."""
    return GeneratedCode(code)


@serves("GeneratedCode")
def with_vcs_generated_paths(_call: Call, parent: GeneratedCode, *, paths: list[str]) -> GeneratedCode:
    """With patterns of what was generated."""
    return replace(parent, vcs_generated_paths=tuple(paths))


@serves("GeneratedCode")
def with_vcs_ignored_paths(_call: Call, parent: GeneratedCode, *, paths: list[str]) -> GeneratedCode:
    """With patterns of what is not to be committed."""
    return replace(parent, vcs_ignored_paths=tuple(paths))
