"""The estimators: the model, and the two baselines it has to beat."""

from typing import Final

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from app.training.features import CODES, FEATURES, CreditRatios

SEED: Final = 1990
CALIBRATION_FOLDS: Final = 5

# Boosting may only move the probability in the direction a lender could defend, all else being equal.
DIRECTION: Final = {
    "loan_to_value": -1,
    "loan_to_price": -1,
    "appraisal_shortfall": -1,
    "income": 1,
    "expense_to_income": -1,
    "housing_ratio": -1,
    "obligation_ratio": -1,
    "liquid_assets": 1,
    "net_worth": 1,
    "net_worth_to_loan": 1,
    "units": -1,
    "public_record": -1,
    "unverifiable_information": -1,
    "warning_signs": -1,
}


def build_model() -> Pipeline:
    """Ratios, imputation and encoding, then the mean probability of two unlike classifiers; uncalibrated."""
    numeric = len(FEATURES) - len(CODES)
    prepare = ColumnTransformer(
        [
            ("numeric", SimpleImputer(strategy="median"), list(range(numeric))),
            (
                "codes",
                OneHotEncoder(
                    categories=[
                        [1.0, 2.0, 3.0],
                        [1.0, 2.0, 3.0],
                        [1.0, 2.0, 3.0, 4.0],
                        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                    ],
                    sparse_output=False,
                    handle_unknown="ignore",
                ),
                list(range(numeric, len(FEATURES))),
            ),
        ]
    )
    encoded = 3 + 3 + 4 + 6
    boosting = HistGradientBoostingClassifier(
        learning_rate=0.03,
        max_iter=200,
        max_leaf_nodes=12,
        min_samples_leaf=10,
        max_features=0.2,
        l2_regularization=5.0,
        early_stopping=False,
        monotonic_cst=[DIRECTION.get(name, 0) for name in FEATURES[:numeric]] + [0] * encoded,
        random_state=SEED,
    )
    forest = RandomForestClassifier(
        n_estimators=100, criterion="entropy", max_features=0.2, random_state=SEED
    )
    vote = VotingClassifier([("boosting", boosting), ("forest", forest)], voting="soft")
    return Pipeline([("ratios", CreditRatios()), ("prepare", prepare), ("vote", vote)])


def build_calibrated() -> CalibratedClassifierCV:
    """What is served: the model with Platt's sigmoid, fitted on out-of-fold scores.

    No row calibrates itself. The sigmoid never changes the order of two applications, so ranking figures of
    build_model() hold for it.
    """
    return CalibratedClassifierCV(build_model(), method="sigmoid", cv=calibration_folds(), ensemble=False)


def calibration_folds() -> StratifiedKFold:
    """The folds the sigmoid is fitted on; the same ones give training rows their out-of-fold probability."""
    return StratifiedKFold(CALIBRATION_FOLDS, shuffle=True, random_state=SEED)


def build_logistic() -> Pipeline:
    """The baseline: logistic regression on the same inputs, imputed and scaled, no feature engineering."""
    return make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=2000)
    )


def build_dummy() -> DummyClassifier:
    """The floor: approves everybody, at the rate of the training rows."""
    return DummyClassifier(strategy="prior")
