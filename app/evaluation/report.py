"""The metrics file: a documented schema whose every number has a dotted name, such as ``holdout.roc_auc``."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Spread(_Part):
    """A score over the test folds of a repeated cross-validation."""

    mean: float
    std: float = Field(description="standard deviation over the folds, n - 1 in the denominator")
    min: float
    max: float


class Ranking(_Part):
    """One estimator's fold scores."""

    roc_auc: Spread
    average_precision_denied: Spread = Field(
        description="area under precision and recall, denial as the class sought"
    )


class Lift(_Part):
    """The model's ROC AUC less the logistic baseline's, fold by fold on the same folds."""

    mean: float
    std: float = Field(description="standard deviation of the paired difference over the folds")
    in_std: float = Field(description="mean / std: standard deviations of the paired difference above zero")
    in_logistic_std: float = Field(description="mean / standard deviation of the baseline's own fold scores")
    repeat_std: float = Field(
        description="standard deviation, over repeats, of the difference averaged over folds"
    )
    folds_won: float = Field(description="share of folds in which the model is above the baseline")
    corrected_t: float = Field(
        description="t statistic with the variance corrected for overlapping training sets "
        "(Nadeau and Bengio 2003, Machine Learning 52, 239-281)"
    )


class CrossValidation(_Part):
    """Repeated stratified cross-validation over all rows; every estimator sees the same folds."""

    folds: int
    repeats: int
    seed: int
    dummy: Ranking
    logistic: Ranking
    model: Ranking
    lift: Lift


class Quality(_Part):
    """One estimator on the hold-out. Probabilities are of approval; the likelier class is predicted."""

    roc_auc: float
    average_precision_denied: float
    accuracy: float
    balanced_accuracy: float
    brier: float = Field(description="mean squared error of the probability; lower is better")
    log_loss: float
    ece: float = Field(description="expected calibration error, 10 bins of equal size; lower is better")


class Bin(_Part):
    """One bin of the reliability curve."""

    rows: int
    predicted: float = Field(description="mean predicted probability of approval")
    observed: float = Field(description="share approved")


class Holdout(Quality):
    """The served model on rows that neither training, calibration nor the threshold ever saw."""

    rows: int
    dummy: Quality
    logistic: Quality
    reliability: list[Bin]


class Confidence(_Part):
    """What is decided by the model and what is handed to a human."""

    threshold: float = Field(description="least confidence for a decision of the model's own")
    target_accuracy: float = Field(description="accuracy of confident decisions the threshold was chosen for")
    coverage: float = Field(description="share of hold-out decided by the model")
    accuracy_confident: float
    accuracy_referred: float = Field(description="accuracy the model would have had on what it refers")
    accuracy_denied: float = Field(
        description="share of the model's own denials that were denied in fact; 1 if none"
    )
    referred: int
    denied: int
    approved: int


class Group(_Part):
    """Rates in one group. Favourable is an approval by the model itself; referral is neither."""

    rows: int
    approved_in_fact: float
    selection_rate: float = Field(description="share approved by the model")
    true_positive_rate: float = Field(description="share approved by the model, of those approved in fact")
    false_positive_rate: float = Field(description="share approved by the model, of those denied in fact")
    denial_rate: float = Field(description="share denied by the model")
    false_denial_rate: float = Field(description="share denied by the model, of those approved in fact")
    referral_rate: float


class Fairness(_Part):
    """One protected attribute; differences are largest less smallest group, ratios smallest over largest."""

    groups: dict[str, Group]
    smallest_group: int
    selection_rate_difference: float
    selection_rate_ratio: float
    data_selection_rate_ratio: float = Field(description="the same ratio in the decisions the data records")
    equal_opportunity_difference: float = Field(description="difference of true positive rates")
    false_positive_rate_difference: float
    equalized_odds_difference: float
    denial_rate_difference: float
    false_denial_rate_difference: float
    referral_rate_difference: float


class FairnessByAttribute(_Part):
    """Out-of-sample decisions for every row of the table; none of these attributes is an input."""

    rows: int
    race: Fairness
    sex: Fairness
    marital: Fairness


class DataFacts(_Part):
    """What was trained on."""

    rows: int
    training_rows: int
    approved_share: float
    sha256: str


class Metrics(_Part):
    """metrics.json."""

    schema_version: int = 1
    data: DataFacts
    cv: CrossValidation
    holdout: Holdout
    confidence: Confidence
    fairness: FairnessByAttribute

    def write(self, path: Path) -> None:
        """Write as JSON, the same bytes for the same figures."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
