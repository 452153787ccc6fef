"""The table of the API that is kept in the documentation."""

from pathlib import Path

from ci.engine.api import table

ROOT = Path(__file__).parents[5]


def test_the_documented_table_is_that_of_the_installed_sdk_and_the_engines_resolvers():
    kept = (ROOT / table.PLACE).read_text(encoding="utf-8")
    assert kept == table.document(), "write it anew with `python -m ci.engine.api.table`"


def test_every_field_is_served_refused_with_a_reason_or_named_as_missing():
    text = table.document()
    assert "| `withExec` | served |" in text
    assert "| `cloud` | refused: there is no Dagger Cloud behind it" in text
    assert "| `node` | served |" in text
