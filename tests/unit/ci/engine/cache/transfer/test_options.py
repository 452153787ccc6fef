"""Where the cache goes and comes from, as the variables say it."""

from pathlib import Path

import pytest

from ci.engine.cache.transfer.options import Elsewhere, Transfers, transfers
from ci.engine.errors import EngineError

BOTH = "_EXPERIMENTAL_DAGGER_CACHE_CONFIG"
IN = "_EXPERIMENTAL_DAGGER_CACHE_IMPORT_CONFIG"
OUT = "_EXPERIMENTAL_DAGGER_CACHE_EXPORT_CONFIG"


def test_nothing_is_asked_for_by_default() -> None:
    assert transfers({}) == Transfers()


def test_one_variable_means_both_ways() -> None:
    place = Elsewhere(reference="registry.example/cache:main")
    asked = transfers({BOTH: "type=registry,ref=registry.example/cache:main,mode=max"})
    assert asked == Transfers((place,), (place,))


def test_several_are_separated_by_semicolons() -> None:
    asked = transfers({IN: r"type=local,src=/a;type=local,src=/b\;c", OUT: "type=local,dest=/d"})
    assert [str(each) for each in asked.sources] == ["/a", "/b;c"]
    assert asked.targets == (Elsewhere(Path("/d")),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type=gha,url=x", "type=gha is not served"),
        ("dest=/a", "no type is not served"),
        ("type=local", "needs a src"),
        ("type=registry", "needs a ref"),
        ("type=local,src=/a,colour=red", "has no colour"),
        ("local", 'invalid form for cache config "local"'),
    ],
)
def test_what_cannot_be_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(EngineError, match=said) as caught:
        transfers({IN: text})
    assert IN in str(caught.value)
