import numpy as np
import pytest

from app.data import Table
from app.monitoring.drift import FEWEST, NOTABLE, DriftCounter, stability_index
from app.training.features import POSITION
from app.training.reference import describe


@pytest.fixture
def counter(table: Table) -> DriftCounter:
    return DriftCounter(describe(table.inputs, 0.2))


def test_the_index_is_zero_for_equal_distributions_and_grows_with_distance() -> None:
    flat = np.full(4, 0.25)
    assert stability_index(flat, flat) == 0
    assert 0 < stability_index(flat, np.array([0.3, 0.3, 0.2, 0.2])) < 0.1
    assert stability_index(flat, np.array([0.7, 0.1, 0.1, 0.1])) > NOTABLE


def test_the_index_matches_the_formula_worked_by_hand() -> None:
    found = stability_index(np.array([0.5, 0.5]), np.array([0.6, 0.4]))
    assert found == pytest.approx(0.1 * np.log(0.6 / 0.5) + (-0.1) * np.log(0.4 / 0.5))


def test_the_training_rows_themselves_show_no_drift(counter: DriftCounter, table: Table) -> None:
    counter.add(table.inputs)
    assert max(counter.index().values()) < 1e-3


def test_a_shifted_input_shows_and_the_others_do_not(counter: DriftCounter, table: Table) -> None:
    shifted = table.inputs.copy()
    shifted[:, POSITION["obligation_ratio"]] += 15
    counter.add(shifted)
    assert [name for name, value in counter.index().items() if value > NOTABLE] == ["obligation_ratio"]


def test_an_input_that_stops_being_given_shows(counter: DriftCounter, table: Table) -> None:
    emptied = table.inputs.copy()
    emptied[:, POSITION["liquid_assets"]] = np.nan
    counter.add(emptied)
    assert counter.index()["liquid_assets"] > NOTABLE


def test_nothing_is_said_from_too_few_applications(counter: DriftCounter, table: Table) -> None:
    counter.add(table.inputs[: FEWEST - 1])
    assert counter.index() == {}
    counter.add(table.inputs[:1])
    assert counter.index() != {}


def test_old_applications_fade(table: Table) -> None:
    counter = DriftCounter(describe(table.inputs, 0.2), window=500)
    shifted = table.inputs.copy()
    shifted[:, POSITION["obligation_ratio"]] += 15
    counter.add(shifted)
    before = counter.index()["obligation_ratio"]
    for _ in range(10):
        counter.add(table.inputs)
    assert counter.index()["obligation_ratio"] < NOTABLE < before
