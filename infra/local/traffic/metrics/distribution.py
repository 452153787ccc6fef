"""Distributions of values over exponential buckets: google.api.Distribution, as Cloud Monitoring has it."""

import math
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Buckets:
    """`finite` buckets between an underflow and an overflow bucket.

    Bucket 0 holds values below `scale`, bucket i those from scale * growth**(i-1) to below scale * growth**i.
    """

    finite: int
    growth: float
    scale: float

    def place(self, value: float) -> int:
        """The number of the bucket that holds a value."""
        if value < self.scale:
            return 0
        return min(int(math.log(value / self.scale) / math.log(self.growth)) + 1, self.finite + 1)

    @property
    def bounds(self) -> tuple[float, ...]:
        """The bounds between the buckets, one fewer than there are buckets."""
        return tuple(self.scale * self.growth**power for power in range(self.finite + 1))


#: Milliseconds, to about an hour and a half in steps of 40 %: the buckets of Google's own latencies.
LATENCY = Buckets(66, 1.4, 1.0)
#: Requests at once, to a thousand.
CONCURRENCY = Buckets(40, 1.2, 1.0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many values there were, their mean, the sum of squared deviations from it, and counts by bucket.

    `counts` begins with the underflow bucket and leaves out zeros at its end.
    """

    count: int
    mean: float
    squared_deviation: float
    buckets: Buckets
    counts: tuple[int, ...]


@dataclass(slots=True)
class Tally:
    """A distribution as it grows. Welford, Note on a method for calculating corrected sums (1962)."""

    buckets: Buckets
    count: int = 0
    mean: float = 0.0
    squared_deviation: float = 0.0
    counts: Counter[int] = field(default_factory=Counter)

    def observe(self, value: float) -> None:
        """Take one more value in."""
        self.count += 1
        before = value - self.mean
        self.mean += before / self.count
        self.squared_deviation += before * (value - self.mean)
        self.counts[self.buckets.place(value)] += 1

    def merge(self, other: "Tally") -> None:
        """Take all values of another tally in. Chan, Golub and LeVeque, Updating formulae (1979)."""
        if not other.count:
            return
        total = self.count + other.count
        apart = other.mean - self.mean
        self.squared_deviation += other.squared_deviation + apart**2 * self.count * other.count / total
        self.mean += apart * other.count / total
        self.count = total
        self.counts.update(other.counts)

    def frozen(self) -> Distribution:
        """The distribution so far."""
        counts = tuple(self.counts[place] for place in range(max(self.counts, default=-1) + 1))
        return Distribution(self.count, self.mean, self.squared_deviation, self.buckets, counts)
