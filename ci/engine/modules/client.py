"""Who asks: the session's own client, or a module's function while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci.engine.api.respond import Api
    from ci.engine.modules.module import Module
    from ci.engine.modules.running.process import FunctionCall


@dataclass(eq=False)
class Client:
    """A client and what is served to it; ``module`` and ``function`` are those whose code it is, if any.

    The functions of ``promoted`` are served to it as if they were of ``Query``.
    """

    served: dict[str, Module] = field(default_factory=dict)
    promoted: Module | None = None
    module: Module | None = None
    function: FunctionCall | None = None
    api: Api = field(init=False, repr=False)
