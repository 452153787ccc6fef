"""Reads the GraphQL schema back out of the source text of the SDK's generated client.

Dagger generates that client from the schema, one class a type and one method a field, so nothing that a
client may send is missing from it. The text is parsed, never imported: importing the SDK takes seconds.

The client does not say which fields that return an object may answer null; those are listed here.
"""

import ast
import json
import threading
from collections.abc import Iterator

from ci.engine.api.derivation.definitions import (
    Argument,
    Definitions,
    Enum,
    EnumValue,
    Field,
    Input,
    Object,
    Scalar,
)
from ci.engine.api.derivation.docstrings import Docstring, dedented
from ci.engine.errors import EngineError

# `Type` is the base of all objects: an argument of that type takes the ID of any.
BUILT_IN = {"str": "String", "int": "Int", "bool": "Boolean", "float": "Float", "Type": "ID"}
NULLABLE = {
    "Binding": {"asStat"},
    "Check": {"error"},
    "Container": {"dockerHealthcheck", "stat"},
    "Directory": {"stat"},
    "EnumTypeDef": {"sourceMap"},
    "EnumValueTypeDef": {"sourceMap"},
    "FieldTypeDef": {"sourceMap"},
    "File": {"stat"},
    "Function": {"sourceMap"},
    "FunctionArg": {"sourceMap"},
    "InterfaceTypeDef": {"sourceMap"},
    "LLM": {"bindResult"},
    "Module": {"runtime", "sdk", "source"},
    "ModuleSource": {"sdk"},
    "ObjectTypeDef": {"constructor", "sourceMap"},
    "Query": {"node"},
    "TypeDef": {"asEnum", "asInput", "asInterface", "asList", "asObject", "asScalar"},
}


# Python 3.11 counts the parser's recursion for all threads together: one at a time.
_PARSING = threading.Lock()


class DerivationError(EngineError):
    """The generated client has a shape this module does not know."""


def derive(source: str) -> Definitions:
    """Return the schema that the generated client's ``source`` text was generated from."""
    with _PARSING:
        return _derive(source)


def _derive(source: str) -> Definitions:
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    reader = _Reader(classes)
    definitions = Definitions(
        scalars=tuple(Scalar(c.name, dedented(ast.get_docstring(c))) for c in _derived(classes, "Scalar")),
        enums=tuple(_enum(c) for c in _derived(classes, "Enum")),
        inputs=tuple(reader.input(c) for c in _derived(classes, "Input")),
        interfaces=reader.interfaces,
        objects=reader.objects,
    )
    if not any(o.name == "Query" for o in definitions.objects):
        raise DerivationError(
            "the SDK's generated client has no Query type; is it a dagger-io this engine knows?"
        )
    return definitions


def _derived(classes: list[ast.ClassDef], base: str) -> list[ast.ClassDef]:
    found = [c for c in classes if any(isinstance(b, ast.Name) and b.id == base for b in c.bases)]
    return sorted(found, key=lambda c: c.name)


def _enum(node: ast.ClassDef) -> Enum:
    values = []
    for statement, following in _with_following(node.body):
        if not isinstance(statement, ast.Assign):
            continue
        [target] = statement.targets
        if not (isinstance(target, ast.Name) and isinstance(statement.value, ast.Constant)):
            raise DerivationError(
                f"enum {node.name} has a member this engine cannot read (line {statement.lineno})"
            )
        values.append(EnumValue(target.id, str(statement.value.value), _string(following)))
    return Enum(node.name, tuple(values), dedented(ast.get_docstring(node)))


class _Reader:
    """Reads the object, interface and input classes; knows every class by name to tell what a type is."""

    def __init__(self, classes: list[ast.ClassDef]) -> None:
        self._kinds: dict[str, str] = {}
        self._owner = ""  # the type being read: what `Self` means
        for kind in ("Scalar", "Enum", "Input", "Protocol", "Type", "Root"):
            self._kinds |= dict.fromkeys((c.name for c in _derived(classes, kind)), kind)
        protocols = {c.name: c for c in _derived(classes, "Protocol")}
        objects = {_graphql_name(c): c for c in (*_derived(classes, "Type"), *_derived(classes, "Root"))}
        self._clients = {c.name: name for name, c in objects.items()}
        interfaces = {
            name: Object(name, self._fields(name, c), (), dedented(ast.get_docstring(protocols[name])))
            for name, c in objects.items()
            if name in protocols
        }
        self.interfaces = tuple(_implementing(i, interfaces) for i in interfaces.values())
        self.objects = tuple(
            _implementing(
                Object(name, self._fields(name, c), (), dedented(ast.get_docstring(c))),
                interfaces,
            )
            for name, c in sorted(objects.items())
            if name not in protocols
        )

    def input(self, node: ast.ClassDef) -> Input:
        """Read an input dataclass."""
        fields = []
        for statement, following in _with_following(node.body):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                required = statement.value is None
                type_, expects = self._argument_type(statement.annotation, required=required)
                default = None if statement.value is None else _literal(statement.value)
                fields.append(
                    Argument(_camel(statement.target.id), type_, default, _string(following), expects)
                )
        return Input(node.name, tuple(fields), dedented(ast.get_docstring(node)))

    def _fields(self, owner: str, node: ast.ClassDef) -> tuple[Field, ...]:
        self._owner = owner
        methods = (m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef))
        fields = [f for m in methods if (f := self._field(owner, m)) is not None]
        return tuple(sorted(fields, key=lambda f: f.name))

    def _field(self, owner: str, method: ast.FunctionDef | ast.AsyncFunctionDef) -> Field | None:
        calls = [c for s in method.body for c in ast.walk(s) if isinstance(c, ast.Call)]
        selection = next((c for c in calls if _called(c) in {"_select", "execute_sync"}), None)
        if selection is None:
            return None
        name = _string_of(selection.args[0 if _called(selection) == "_select" else 1])
        doc = Docstring(ast.get_docstring(method) or "")
        type_, expects = self._return_type(owner, name, method, calls)
        annotations = {a.arg: a.annotation for a in (*method.args.args, *method.args.kwonlyargs)}
        return Field(
            name,
            type_,
            tuple(self._argument(c, annotations, doc) for c in calls if _called(c) == "Arg"),
            doc.summary,
            _deprecation(calls),
            expects,
        )

    def _argument(self, call: ast.Call, annotations: dict[str, ast.expr | None], doc: Docstring) -> Argument:
        name, value, *default = call.args
        parameter = value.orelse if isinstance(value, ast.IfExp) else value
        if not isinstance(parameter, ast.Name) or (annotation := annotations.get(parameter.id)) is None:
            raise DerivationError(
                f"cannot tell the type of argument {_string_of(name)!r} (line {call.lineno})"
            )
        type_, expects = self._argument_type(annotation, required=not default)
        literal = _literal(default[0]) if default else None
        return Argument(_string_of(name), type_, literal, doc.parameters.get(parameter.id, ""), expects)

    def _return_type(
        self, owner: str, name: str, method: ast.FunctionDef | ast.AsyncFunctionDef, calls: list[ast.Call]
    ) -> tuple[str, str | None]:
        for call in calls:
            match _called(call):
                case "execute_sync":
                    return "ID!", owner
                case "execute_object_list":
                    return f"[{self._named(call.args[0])[0]}!]!", None
                case "execute" if not call.args:
                    return "Void", None
                case "execute" if name == "id":
                    return "ID!", None
                case "execute":
                    return self._argument_type(call.args[0], required=True)
        last = method.body[-1]
        if isinstance(last, ast.Return) and isinstance(last.value, ast.Call):
            mark = "" if name in NULLABLE.get(owner, ()) else "!"
            return f"{self._named(last.value.func)[0]}{mark}", None
        raise DerivationError(f"cannot tell what {owner}.{name} returns (line {method.lineno})")

    def _argument_type(self, annotation: ast.expr, *, required: bool) -> tuple[str, str | None]:
        """Return the GraphQL type of a Python annotation, and the object type that an ID in it names."""
        annotation = _unquoted(annotation)
        if isinstance(annotation, ast.BinOp):  # X | None
            type_, expects = self._argument_type(annotation.left, required=False)
            return type_, expects
        mark = "!" if required else ""
        if isinstance(annotation, ast.Subscript) and _name(annotation.value) == "list":
            item, expects = self._argument_type(annotation.slice, required=True)
            return f"[{item}]{mark}", expects
        named, expects = self._named(annotation, argument=True)
        return f"{named}{mark}", expects

    def _named(self, node: ast.expr, *, argument: bool = False) -> tuple[str, str | None]:
        name = _name(_unquoted(node))
        if name in BUILT_IN:
            return BUILT_IN[name], None
        name = self._owner if name == "Self" else self._clients.get(name, name)
        kind = self._kinds.get(name) or ("Protocol" if f"_{name}Client" in self._kinds else None)
        if kind is None:
            raise DerivationError(f"the generated client uses a type it does not define: {name}")
        if argument and kind in {"Type", "Root", "Protocol"}:
            return "ID", name
        return name, None


def _implementing(type_: Object, interfaces: dict[str, Object]) -> Object:
    """Add the interfaces that ``type_`` satisfies: all their fields, and no more required arguments."""
    own = {f.name: f for f in type_.fields}

    def satisfied(interface: Object) -> bool:
        for wanted in interface.fields:
            field = own.get(wanted.name)
            if field is None or field.type != wanted.type:
                return False
            known = {a.name: a.type for a in wanted.arguments}
            given = {a.name: a.type for a in field.arguments}
            if any(given.get(name) != t for name, t in known.items()):
                return False
            if any(t.endswith("!") for name, t in given.items() if name not in known):
                return False
        return True

    names = sorted(i.name for i in interfaces.values() if i.name != type_.name and satisfied(i))
    return Object(type_.name, type_.fields, tuple(names), type_.description)


def _graphql_name(node: ast.ClassDef) -> str:
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "_graphql_name":
            for statement in method.body:
                if isinstance(statement, ast.Return) and statement.value is not None:
                    return _string_of(statement.value)
    return node.name


def _deprecation(calls: list[ast.Call]) -> str | None:
    for call in calls:
        if _called(call) == "warn":
            return _string_of(call.args[0]).partition(" is deprecated: ")[2] or "No longer supported"
    return None


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else _name(call.func)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    raise DerivationError(
        f"the generated client has an expression this engine cannot read: {ast.unparse(node)}"
    )


def _unquoted(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node


def _string_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise DerivationError(f"the generated client has {ast.unparse(node)} where a string was expected")


def _string(node: ast.stmt | None) -> str:
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return dedented(node.value.value)
    return ""


def _literal(node: ast.expr) -> str | None:
    """Return a default value as a GraphQL literal; None (no default) for Python's None."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=bool() as flag):
            return "true" if flag else "false"
        case ast.Constant(value=str() as text):
            return _quoted(text)
        case ast.Constant(value=int() | float() as number):
            return str(number)
        case ast.Attribute(attr=member):
            return member
        case ast.List(elts=items):
            return "[" + ", ".join(str(_literal(item)) for item in items) + "]"
        case _:
            raise DerivationError(
                f"the generated client has a default this engine cannot read: {ast.unparse(node)}"
            )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _with_following(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    yield from zip(body, [*body[1:], None], strict=True)
