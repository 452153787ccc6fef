"""Arbitrary requests whose fields often have a value that means something: a filter, a metric, now."""

from random import Random
from urllib.parse import quote

from tests.integration.infra.local.api import arbitrary


def request(methods, schemas, words, number):
    """As arbitrary.request; `words` has values of likely fields and parameters by name, None for any."""
    return _Maker(Random(number), words).request(methods, schemas)  # noqa: S311


class _Maker(arbitrary._Maker):
    def __init__(self, random, words):
        super().__init__(random)
        self._words = words

    def _path(self, plain):
        path = super()._path(plain)
        for collection, values in self._words.items():
            marker = f"/{collection}/"
            if marker in path and self._random.random() < 0.7:
                before, _, _ = path.partition(marker)
                path = f"{before}{marker}{quote(str(self._random.choice(values)), safe='/%')}"
        return path

    def _query(self, method):
        named = [
            f"{name}={quote(str(self._random.choice(self._words[name])), safe='')}"
            for name, kind in method.parameters.items()
            if kind["location"] == "query" and name in self._words and self._random.random() < 0.8
        ]
        rest = super()._query(method).removeprefix("?")
        return "?" + "&".join([*named, *([rest] if rest and self._rarely(2) else [])])

    def _object(self, kind, depth):
        made = super()._object(kind, depth)
        for name, inner in kind.get("properties", {}).items():
            if name in self._words and self._random.random() < 0.85:
                value = self._random.choice(self._words[name])
                made[name] = self._message(inner, depth + 1) if value is None else value
        return made
