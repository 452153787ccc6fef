"""What a module's code sees of the API: its dependencies and the types of its own, beside Dagger's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci.engine.api.respond import Api
from ci.engine.modules.module import Module
from ci.engine.modules.schema.extended import ExtendedSource

if TYPE_CHECKING:
    from ci.engine.modules.schema.extended import Answers
    from ci.engine.session import Session


def view(session: Session, visible: tuple[Module, ...], own: Module | None, answers: Answers) -> Api:
    """The API with those modules' types: made once, until the session loads another module."""
    key = (tuple(each.digest for each in visible), own.digest if own else "", session.universe.generation)
    made = session.universe.views.get(key)
    if made is None:
        known = tuple(session.universe.modules.values())
        source = ExtendedSource(session.source, visible, own, known, answers)
        made = session.universe.views[key] = Api(source, session.registry, session)
    return made
