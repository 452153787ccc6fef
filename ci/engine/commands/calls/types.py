"""The types of a session, asked for as far as they are needed: there are hundreds, and a call needs a few."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ci.engine.commands.calls.definitions import Argument, Function, Provider, Type
from ci.engine.commands.graphql import Client

_NAMES = """query Names($hideCore: Boolean) {
  types: currentTypeDefs(hideCore: $hideCore) {
    id kind asObject { name } asInterface { name } asEnum { name }
  }
}"""

_NAMED = "asObject { name } asInterface { name } asEnum { name } asScalar { name } asInput { name }"
_FRAGMENTS = f"""
fragment Leaf on TypeDef {{ kind optional {_NAMED} }}
fragment Ref on TypeDef {{
  ...Leaf asList {{ elementTypeDef {{ ...Leaf asList {{ elementTypeDef {{ ...Leaf }} }} }} }}
}}
fragment Parts on Function {{
  name description sourceModuleName returnType {{ ...Ref }}
  args {{ name description defaultValue defaultPath ignore typeDef {{ ...Ref }} }}
}}
"""
_PROVIDER = """query Provider($id: ID!) {
  type: node(id: $id) { ... on TypeDef {
    asObject {
      name description sourceModuleName constructor { ...Parts } functions { ...Parts }
      fields { name description typeDef { ...Ref } }
    }
    asInterface { name description sourceModuleName functions { ...Parts } }
  } }
}"""
_ENUM = "query Enum($id: ID!) { type: node(id: $id) { ... on TypeDef { asEnum { members { name } } } } }"


class Types:
    """The types that a client sees now. ``hide_core``: without the functions of ``Query`` of Dagger's own."""

    def __init__(self, client: Client, *, hide_core: bool) -> None:
        self._client = client
        self._hide_core = hide_core
        self._told: dict[str, dict[str, Any]] = {}
        self._enums: dict[str, tuple[str, ...]] = {}

    @cached_property
    def _ids(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in self._client.ask(_NAMES, {"hideCore": self._hide_core})["types"]:
            named = each.get("asObject") or each.get("asInterface") or each.get("asEnum")
            if named:
                found.setdefault(named["name"], each["id"])
        return found

    def provider(self, type_: Type) -> Provider:
        """The functions of an object or interface, or of what a list is of."""
        return Provider.of(self._composite(type_.single.name))

    def constructor(self, name: str) -> tuple[Argument, ...]:
        """The arguments that an object is made of."""
        made = self._composite(name).get("constructor")
        return Function.of(made).arguments if made else ()

    def members(self, enum: str) -> tuple[str, ...]:
        """The names of an enum's values."""
        if enum not in self._enums:
            answer = self._client.ask(_ENUM, {"id": self._ids[enum]})
            told = (answer["type"] or {}).get("asEnum") or {}
            self._enums[enum] = tuple(each["name"] for each in told.get("members") or ())
        return self._enums[enum]

    def _composite(self, name: str) -> dict[str, Any]:
        if name not in self._told:
            if name not in self._ids:
                return {"name": name}
            answer = self._client.ask(_PROVIDER + _FRAGMENTS, {"id": self._ids[name]})["type"]
            self._told[name] = answer.get("asObject") or answer.get("asInterface") or {"name": name}
        return self._told[name]
