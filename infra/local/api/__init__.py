"""The HTTP surface of Google's APIs: routes and messages as the client libraries publish them."""

from infra.local.api.definition import Rpc, rpcs
from infra.local.api.discovery import Method, Request, methods
from infra.local.api.errors import ApiError
from infra.local.api.server import Api

__all__ = ["Api", "ApiError", "Method", "Request", "Rpc", "methods", "rpcs"]
