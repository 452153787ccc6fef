"""The names of a module's types: which it may not have."""

import pytest

from ci.engine.errors import EngineError
from ci.engine.modules.module import Module
from ci.engine.modules.types.kinds import OBJECT
from ci.engine.modules.types.naming import named
from ci.engine.modules.types.typedefs import Object, TypeDef

CORE = frozenset({"Workspace", "Container", "GitRepository"})


def _module(*classes: str) -> Module:
    return Module(objects=tuple(TypeDef(OBJECT, named=Object(name, name)) for name in classes))


@pytest.mark.parametrize(
    ("module", "classes", "taken"),
    [
        ("workspace", ["Workspace"], "Workspace"),
        ("toolbox", ["Toolbox", "Container"], "Container"),
        ("git", ["Git", "Repository"], "GitRepository"),
    ],
)
def test_a_class_may_not_have_the_name_of_a_type_of_daggers_own_as_in_dagger(module, classes, taken) -> None:
    with pytest.raises(EngineError, match=f'^type "{taken}" is already defined by module "daggercore"'):
        named(_module(*classes), module, module, CORE)


def test_other_classes_begin_with_the_modules_name() -> None:
    module = named(_module("Toolbox", "Hammer", "ToolboxNail"), "toolbox", "toolbox", CORE)
    assert [each.named.name for each in module.objects] == ["Toolbox", "ToolboxHammer", "ToolboxNail"]
