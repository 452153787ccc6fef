"""Names in modules: as their authors write them, and as GraphQL, Python's packages and the CLI do.

The rules are those of Dagger's engine, which names things with Go's ``strcase`` package.
"""

import re

_SEPARATORS = frozenset("_ -.")
_PACKAGE_SEPARATORS = re.compile(r"[._-]+")
_NOT_IN_PACKAGE = re.compile(r"[^a-z0-9-]+")
_WORDS = re.compile(
    r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[0-9])(?=[A-Za-z])|(?<=[A-Z])(?=[0-9])"
)
_ENUM_MEMBER = re.compile(r"[A-Z_][A-Z0-9_]*")


def camel(name: str) -> str:
    """``my-module`` as ``MyModule``: the name of a type."""
    letters, upper = [], True
    for letter in name.strip():
        if letter in _SEPARATORS:
            upper = True
            continue
        letters.append(letter.upper() if upper else letter)
        upper = letter.isdigit()
    return "".join(letters)


def lower_camel(name: str) -> str:
    """``my_function`` as ``myFunction``: the name of a field or an argument."""
    found = camel(name)
    return found[:1].lower() + found[1:]


def kebab(name: str) -> str:
    """``MyModule`` as ``my-module``."""
    words = (word for part in re.split(r"[_ .-]+", name.strip()) for word in _WORDS.split(part))
    return "-".join(word.lower() for word in words if word)


def enum_member(name: str) -> str:
    """The name of an enum's member: as it is if it is upper case, else ``SCREAMING_SNAKE``."""
    if _ENUM_MEMBER.fullmatch(name) and not name.startswith("__"):
        return name
    return kebab(name).replace("-", "_").upper()


def namespaced(name: str, module: str, original_module: str) -> str:
    """The name of a module's type among all types: it begins with the module's name, and says it once."""
    name, own = camel(name), camel(original_module)
    rest = name.removeprefix(own)
    if rest == name:
        return camel(f"{module}_{name}")
    if not rest:
        return camel(module)
    return camel(module + rest) if rest[0].isupper() else camel(f"{module}_{name}")


def project(module: str) -> str:
    """A module's name as that of a Python project: lower case, words joined by dashes."""
    name = _PACKAGE_SEPARATORS.sub("-", kebab(camel(module)).lower())
    return _NOT_IN_PACKAGE.sub("", name).strip("-")


def package(project_name: str) -> str:
    """The import package of a Python project of that name."""
    return project_name.replace("-", "_")
