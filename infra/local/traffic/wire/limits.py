"""What a client may take: bytes, connections and time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    `head_time` is for a whole head, however slowly it drips in; `idle_time` is between requests; `stall_time`
    is how long a client may send nothing of a body that it announced, or take nothing of its response.
    `drain_time` is how long requests in flight may still take when the proxy ends.
    `body` is Cloud Run's own limit for HTTP/1: https://cloud.google.com/run/quotas#request_limits
    """

    head: int = 64 << 10
    fields: int = 200
    body: int = 32 << 20
    connections: int = 16_384
    head_time: float = 20
    idle_time: float = 610
    stall_time: float = 60
    drain_time: float = 1
