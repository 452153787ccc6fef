"""Bindings: what a module's code can call of its dependencies, as Python."""

import ast
import subprocess
import sys
from dataclasses import replace

from ci.engine.api.source import generated_client
from ci.engine.modules.generated import bindings
from ci.engine.modules.module import Module
from ci.engine.modules.types.kinds import ENUM, LIST, OBJECT, VOID
from ci.engine.modules.types.typedefs import (
    Argument,
    Enum,
    Field,
    Function,
    Member,
    Object,
    TypeDef,
    referring,
)

TEXT = TypeDef("STRING_KIND")
MOOD = referring(ENUM, "GreeterMood")
CARD = referring(OBJECT, "GreeterCard")
GREET = Function(
    "greet",
    "greet",
    TEXT,
    'Says "hello"',
    (
        Argument("name", "name", TEXT),
        Argument("mood", "mood", MOOD, default='"GOOD"'),
        Argument("list", "list", replace(TEXT, optional=True)),
    ),
)
GREETER = Object(
    "Greeter",
    "Greeter",
    "Greets.",
    (Field("str", "str", TEXT),),
    (
        GREET,
        Function("cards", "cards", TypeDef(LIST, element=CARD)),
        Function("card", "card", CARD),
        Function("nothing", "nothing", TypeDef(VOID)),
    ),
    Function("", "", referring(OBJECT, "Greeter"), "", (Argument("src", "src", TEXT, default='"x"'),)),
)
MODULE = Module(
    "greeter",
    "greeter",
    objects=(TypeDef(OBJECT, named=GREETER), TypeDef(OBJECT, named=Object("GreeterCard", "Card"))),
    enums=(TypeDef(ENUM, named=Enum("GreeterMood", "Mood", members=(Member("GOOD", "GOOD", "good"),))),),
)
USE = """
import inspect, dagger
from dagger import dag, Greeter, GreeterMood
assert GreeterMood.GOOD.value == "good"
print(inspect.signature(Greeter.greet))
print(inspect.signature(dag.greeter))
greeter = dag.greeter(src="y").card()
print(type(greeter).__name__, [field.name for field in greeter._ctx.selections])
print(Greeter.str_.__name__, dagger.Container.__name__, issubclass(type(dag), dagger.Query))
try:
    dag.greeter(src=1)
except TypeError as error:
    print("refused", "src" in str(error))
try:
    dag.container().from_(1)
except TypeError as error:
    print("refused", "address" in str(error))
"""


def test_the_classes_are_python_with_what_the_module_has() -> None:
    classes = {
        node.name: {
            each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for node in ast.parse(bindings.text((MODULE,))).body
        if isinstance(node, ast.ClassDef)
    }
    assert classes == {
        "GreeterMood": set(),
        "Greeter": {"id", "str_", "greet", "cards", "card", "nothing", "with_"},
        "GreeterCard": {"id", "with_"},
        "Client": {"greeter"},
    }


def test_the_sdk_takes_them_in_place_of_its_own_and_checks_calls_as_before(tmp_path) -> None:
    (tmp_path / "dagger_gen.py").write_text(bindings.text((MODULE,)))
    (tmp_path / f"{bindings.CORE}.py").write_text(bindings.core(generated_client().read_text()))
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{USE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "(self, name: str, *, mood: 'GreeterMood | None' = None, list_: str | None = None) -> str",
        "(*, src: str | None = 'x') -> 'Greeter'",
        "GreeterCard ['greeter', 'card']",
        "str_ Container True",
        "refused True",
        "refused True",
    ]
