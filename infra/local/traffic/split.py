"""Splitting requests by percent, evenly at every scale."""

import itertools
from collections.abc import Sequence

from infra.local.runtime.contract import Target

_STEP = 0.6180339887498949  # the golden ratio less one


class Split:
    """Chooses a revision for each request, in proportion to the targets' percents.

    The points of a Weyl sequence with the golden ratio fill the unit interval as evenly as can be, so that
    any n requests in a row are split right but for O(log n) of them, with no short period that a client
    could be in step with. Kuipers and Niederreiter, Uniform Distribution of Sequences (1974), 2.3.
    """

    def __init__(self, targets: Sequence[Target], point: float = 0.0) -> None:
        self.point = point
        weighted = [target for target in targets if target.percent > 0]
        self._keys = [target.revision_key for target in weighted]
        total = sum(target.percent for target in weighted)
        self._bounds = [each / total for each in itertools.accumulate(target.percent for target in weighted)]

    @property
    def keys(self) -> frozenset[str]:
        """The revisions that get requests."""
        return frozenset(self._keys)

    def choose(self) -> str | None:
        """The next request's revision; None when no target has any percent."""
        self.point = (self.point + _STEP) % 1.0
        for bound, key in zip(self._bounds, self._keys, strict=True):
            if self.point < bound:
                return key
        return self._keys[-1] if self._keys else None
