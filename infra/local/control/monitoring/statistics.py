"""Sums, means and percentiles over values that may be distributions."""

from collections.abc import Sequence

from infra.local.traffic.metrics import Distribution, Value


def total(values: Sequence[Value]) -> Value:
    """The sum of numbers, or all of several distributions in one."""
    merged = _merged(values)
    return merged if merged is not None else sum(numbers(values))


def mean(values: Sequence[Value]) -> float:
    """The mean; of all that is in distributions."""
    merged = _merged(values)
    if merged is not None:
        return merged.mean
    found = numbers(values)
    return sum(found) / len(found)


def percentile(values: Sequence[Value], percent: float) -> float:
    """A percentile, interpolated: between numbers, or within the bucket of a distribution."""
    merged = _merged(values)
    if merged is not None:
        return _within(merged, percent)
    found = sorted(numbers(values))
    place = (len(found) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(found) - 1)
    return float(found[low] + (found[high] - found[low]) * (place - low))


def numbers(values: Sequence[Value]) -> list[float]:
    """The values that are numbers; of a distribution its mean, of a truth value 0 or 1."""
    return [
        value.mean if isinstance(value, Distribution) else value
        for value in values
        if not isinstance(value, str)
    ] or [0]


def _merged(values: Sequence[Value]) -> Distribution | None:
    found = [value for value in values if isinstance(value, Distribution)]
    if not found or any(each.buckets != found[0].buckets for each in found):
        return None
    count = sum(each.count for each in found)
    middle = sum(each.mean * each.count for each in found) / count if count else 0.0
    # Chan, Golub and LeVeque, Updating formulae (1979).
    squares = sum(each.squared_deviation + each.count * (each.mean - middle) ** 2 for each in found)
    length = max(len(each.counts) for each in found)
    counts = tuple(
        sum(each.counts[place] for each in found if place < len(each.counts)) for place in range(length)
    )
    return Distribution(count, middle, squares, found[0].buckets, counts)


def _within(value: Distribution, percent: float) -> float:
    if not value.count:
        return 0.0
    bounds = (0.0, *value.buckets.bounds, value.buckets.bounds[-1])
    wanted, seen = value.count * percent / 100, 0
    for place, count in enumerate(value.counts):
        if count and seen + count >= wanted:
            share = (wanted - seen) / count
            return bounds[place] + (bounds[place + 1] - bounds[place]) * share
        seen += count
    return bounds[-1]
