"""Resource names: how a URN is made up and taken apart (sdk/go/common/resource/urn).

``urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME``
"""

from __future__ import annotations

from typing import Final

ROOT_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_PREFIX: Final = "pulumi:providers:"
_PREFIX = "urn:pulumi:"
_PARTS = 4


def make(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource below ``parent`` (a URN, or empty).

    The root stack leaves no trace in its children's.
    """
    qualified = type_
    if parent:
        above = qualified_type(parent)
        if above != ROOT_TYPE:
            qualified = f"{above}${type_}"
    return f"{_PREFIX}{stack}::{project}::{qualified}::{name}"


def make_qualified(stack: str, project: str, qualified_parent: str, type_: str, name: str) -> str:
    """The URN of a resource whose parent's types are known as such (``A$B``)."""
    qualified = f"{qualified_parent}${type_}" if qualified_parent and qualified_parent != ROOT_TYPE else type_
    return f"{_PREFIX}{stack}::{project}::{qualified}::{name}"


def root(stack: str, project: str) -> str:
    """The URN of the resource that stands for a stack itself."""
    return make(stack, project, "", ROOT_TYPE, f"{project}-{stack}")


def valid(urn: str) -> bool:
    """Whether ``urn`` has the shape of one."""
    return urn.startswith(_PREFIX) and len(urn.split("::", _PARTS - 1)) == _PARTS


def qualified_type(urn: str) -> str:
    """``A$B`` of a resource of type B below one of type A."""
    return urn.split("::", _PARTS - 1)[2]


def type_of(urn: str) -> str:
    """The resource's own type."""
    return qualified_type(urn).rpartition("$")[2]


def name_of(urn: str) -> str:
    """The resource's own name."""
    return urn.split("::", _PARTS - 1)[3]


def package_of(type_: str) -> str:
    """``aws`` of ``aws:s3/bucket:Bucket``; for a provider's type, the package that it serves."""
    return type_.removeprefix(PROVIDER_PREFIX).partition(":")[0]


def is_provider(type_: str) -> bool:
    """Whether the type is a provider's (``pulumi:providers:aws``)."""
    return type_.startswith(PROVIDER_PREFIX)


def is_default_provider(urn: str) -> bool:
    """Whether the engine made this provider by itself."""
    return is_provider(type_of(urn)) and name_of(urn).startswith("default")


def reference(urn: str, identifier: str) -> str:
    """How a resource names its provider in the state: ``URN::ID``."""
    return f"{urn}::{identifier}"


def parse_reference(provider: str) -> tuple[str, str]:
    """URN and id of a provider. Raises ValueError for what is no such reference."""
    urn, separator, identifier = provider.rpartition("::")
    if not separator or not valid(urn):
        raise ValueError(f"expected '::' in provider reference '{provider}'")
    return urn, identifier
