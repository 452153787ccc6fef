"""List methods: a page of stored messages in a response, and its token, with Google's complaints."""

from typing import Any

from infra.local.api.definition import protobuf
from infra.local.api.errors import invalid
from infra.local.state import Shelf
from infra.local.state.shelf import BadToken


def list_page(
    shelf: Shelf[Any], above: str, request: Any, response: type[Any], *, newest_first: bool = False
) -> Any:
    """A response (a protobuf message of the class `response`) with a page of what is in `above`.

    The repeated field of the response is its only one of messages. Raises ApiError, 400.
    """
    answer: Any = protobuf(response)()
    items = next(field.name for field in answer.DESCRIPTOR.fields if field.message_type is not None)
    if request.page_size < 0:
        raise invalid("The page size is negative.", [("page_size", "The page size must not be negative.")])
    try:
        page = shelf.page(above, request.page_size, request.page_token, newest_first=newest_first)
    except BadToken as error:
        raise invalid("Page token is invalid.", [("page_token", "Page token is invalid.")]) from error
    for body in page.bodies:
        getattr(answer, items).add().ParseFromString(body)
    answer.next_page_token = page.next_token
    return answer
