"""The kinds of types, as Dagger's API names them."""

OBJECT, INTERFACE, ENUM = "OBJECT_KIND", "INTERFACE_KIND", "ENUM_KIND"
SCALAR, INPUT, LIST = "SCALAR_KIND", "INPUT_KIND", "LIST_KIND"
STRING, INTEGER, FLOAT, BOOLEAN, VOID = (
    "STRING_KIND",
    "INTEGER_KIND",
    "FLOAT_KIND",
    "BOOLEAN_KIND",
    "VOID_KIND",
)

#: The kinds that GraphQL has a scalar of its own for.
BUILT_IN = {STRING: "String", INTEGER: "Int", FLOAT: "Float", BOOLEAN: "Boolean", VOID: "Void"}
