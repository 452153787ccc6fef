"""What all tests share: how they are interrupted, and one model, trained once a run by whoever is first."""

import fcntl
import os
import signal
from pathlib import Path

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script: the commands under test would inherit that they ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the real data; only its evaluation has fewer repeats than in production."""
    from app.evaluation.crossval import Plan
    from app.training.run import train

    base = tmp_path_factory.getbasetemp()
    # Workers of one run have folders of their own, beside each other.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained-model"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            train(Path(__file__).parents[1] / "app/data/loanapp.csv", folder, Plan(folds=5, repeats=2))
    return folder
