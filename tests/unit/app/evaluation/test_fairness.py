from pathlib import Path

import numpy as np
import pytest

from app.data import Table
from app.evaluation.fairness import groups_of, measure_fairness
from app.evaluation.report import Metrics


def test_rates_and_gaps_are_by_group() -> None:
    # 40 in each group, half approved in fact; the model approves all of one and half of the other's approved.
    y = np.array([1, 0] * 40)
    group = np.array(["a"] * 40 + ["b"] * 40)
    decisions = np.where(y == 1, "approve", "deny")
    decisions[40:60:2] = "refer"
    found = measure_fairness(y, decisions, {"race": group, "sex": group, "marital": group}).race
    assert found.groups["a"].selection_rate == 0.5
    assert found.groups["b"].selection_rate == 0.25
    assert found.groups["b"].true_positive_rate == 0.5
    assert found.groups["b"].referral_rate == 0.25
    assert found.selection_rate_ratio == 0.5
    assert found.equal_opportunity_difference == 0.5
    assert found.false_positive_rate_difference == 0
    assert found.denial_rate_difference == 0
    assert found.data_selection_rate_ratio == 1
    assert found.smallest_group == 40


def test_the_groups_are_those_of_the_datasheet_and_the_few_of_unknown_sex_are_left_out(
    model_folder: Path, table: Table
) -> None:
    fairness = Metrics.model_validate_json((model_folder / "metrics.json").read_bytes()).fairness
    assert {name: group.rows for name, group in fairness.race.groups.items()} == {
        "black": 197,
        "hispanic": 111,
        "white": 1681,
    }
    assert {name: group.rows for name, group in fairness.sex.groups.items()} == {"female": 369, "male": 1605}
    assert np.unique(groups_of(table.columns)["sex"]).tolist() == ["", "female", "male"]


@pytest.mark.parametrize("attribute", ["race", "sex", "marital"])
def test_the_model_hardly_ever_denies_by_itself_who_was_approved_in_any_group(
    model_folder: Path, attribute: str
) -> None:
    fairness = Metrics.model_validate_json((model_folder / "metrics.json").read_bytes()).fairness
    groups = getattr(fairness, attribute).groups
    assert {
        name: group.false_denial_rate for name, group in groups.items() if group.false_denial_rate > 0.03
    } == {}
