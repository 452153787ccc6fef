"""Fairness by protected group, of decisions made without knowing the group."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from fairlearn.metrics import (
    MetricFrame,
    count,
    demographic_parity_ratio,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

from app.evaluation.report import Fairness, FairnessByAttribute, Group

Labels = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float64]

SMALLEST_REPORTED = 30
"""A smaller group is left out, as its rates would be noise: here, those whose sex is not recorded."""


def groups_of(columns: Mapping[str, Floats]) -> dict[str, Names]:
    """The group of every row by attribute, from the protected columns; "" where it is not recorded."""
    race = np.where(columns["black"] == 1, "black", np.where(columns["hispan"] == 1, "hispanic", "white"))
    return {
        "race": race,
        "sex": _two(columns["male"], "male", "female"),
        "marital": _two(columns["married"], "married", "unmarried"),
    }


def measure_fairness(y: Labels, decisions: Names, groups: Mapping[str, Names]) -> FairnessByAttribute:
    """Rates by group for decisions ``approve``, ``deny`` and ``refer``; (rows,) each."""
    race, sex, marital = (_attribute(y, decisions, groups[name]) for name in ("race", "sex", "marital"))
    return FairnessByAttribute(rows=int(y.size), race=race, sex=sex, marital=marital)


def _two(flag: Floats, yes: str, no: str) -> Names:
    return np.where(np.isnan(flag), "", np.where(flag == 1, yes, no))


def _attribute(y: Labels, decisions: Names, group: Names) -> Fairness:
    names, sizes = np.unique(group, return_counts=True)
    kept = np.isin(group, names[(sizes >= SMALLEST_REPORTED) & (names != "")])
    y, decisions, group = y[kept], decisions[kept], group[kept]
    approved = _frame(y, decisions == "approve", group)
    denied = _frame(y, decisions == "deny", group)
    referred = _frame(y, decisions == "refer", group)
    recorded = demographic_parity_ratio(y, y, sensitive_features=group)
    by_group = {
        str(name): Group(
            rows=int(approved.by_group.loc[name, "count"]),
            approved_in_fact=float(y[group == name].mean()),
            selection_rate=float(approved.by_group.loc[name, "selection"]),
            true_positive_rate=float(approved.by_group.loc[name, "tpr"]),
            false_positive_rate=float(approved.by_group.loc[name, "fpr"]),
            denial_rate=float(denied.by_group.loc[name, "selection"]),
            false_denial_rate=float(denied.by_group.loc[name, "tpr"]),
            referral_rate=float(referred.by_group.loc[name, "selection"]),
        )
        for name in np.unique(group)
    }
    gap, denial_gap = approved.difference(), denied.difference()
    return Fairness(
        groups=by_group,
        smallest_group=min(part.rows for part in by_group.values()),
        selection_rate_difference=float(gap["selection"]),
        selection_rate_ratio=float(approved.ratio()["selection"]),
        data_selection_rate_ratio=float(recorded),
        equal_opportunity_difference=float(gap["tpr"]),
        false_positive_rate_difference=float(gap["fpr"]),
        equalized_odds_difference=float(max(gap["tpr"], gap["fpr"])),
        denial_rate_difference=float(denial_gap["selection"]),
        false_denial_rate_difference=float(denial_gap["tpr"]),
        referral_rate_difference=float(referred.difference()["selection"]),
    )


def _frame(y: Labels, chosen: npt.NDArray[np.bool_], group: Names) -> MetricFrame:
    metrics = {
        "count": count,
        "selection": selection_rate,
        "tpr": true_positive_rate,
        "fpr": false_positive_rate,
    }
    return MetricFrame(metrics=metrics, y_true=y, y_pred=chosen.astype(np.int64), sensitive_features=group)
