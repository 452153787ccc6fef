import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skops.io

from app.data import COLUMNS, INPUTS, Table
from app.errors import ArtifactError
from app.evaluation.fit import fitted
from app.evaluation.report import Metrics
from app.training import persist
from app.training.lineage import Lineage, sources_digest
from app.training.model import build_calibrated, build_model
from app.training.reference import Reference

ROOT = Path(__file__).parents[4]
DATA = ROOT / "app" / "data" / "loanapp.csv"


def test_the_folder_holds_what_the_pipeline_and_the_service_expect(model_folder: Path) -> None:
    assert {path.name for path in model_folder.iterdir()} == {
        "model.skops",
        "metrics.json",
        "schema.json",
        "reference.json",
        "lineage.json",
        "known_case.json",
    }


FIT = """
import hashlib
from pathlib import Path
from app.data import read_table
from app.evaluation.fit import fitted
from app.training import persist
from app.training.model import build_model
table = read_table(Path("app/data/loanapp.csv"))
model = fitted(build_model(), table.inputs[:400], table.target[:400])
print(hashlib.sha256(persist.dumps(model)).hexdigest())
"""


def test_fitting_gives_the_same_bytes_in_another_process_and_with_more_threads(table: Table) -> None:
    here = persist.dumps(fitted(build_model(), table.inputs[:400], table.target[:400]))
    environment = {**os.environ, "OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "7"}
    elsewhere = subprocess.run(
        [sys.executable, "-c", FIT], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert elsewhere.stdout.strip() == hashlib.sha256(here).hexdigest()


def test_what_is_read_back_predicts_what_was_written(table: Table) -> None:
    model = fitted(build_model(), table.inputs[:400], table.target[:400])
    read = persist.loads(persist.dumps(model), "model.skops")
    np.testing.assert_array_equal(read.predict_proba(table.inputs), model.predict_proba(table.inputs))


def test_lineage_names_data_sources_libraries_and_the_model(model_folder: Path, table: Table) -> None:
    lineage = Lineage.model_validate_json((model_folder / "lineage.json").read_bytes())
    assert lineage.model_sha256 == hashlib.sha256((model_folder / "model.skops").read_bytes()).hexdigest()
    assert lineage.data_sha256 == table.digest
    assert lineage.training_sha256 == sources_digest()
    assert lineage.libraries["scikit-learn"]
    assert set(lineage.excluded) == {name for name, column in COLUMNS.items() if column.role != "input"}


def test_the_schema_lists_every_input_with_its_unit_and_bounds(model_folder: Path) -> None:
    schema = json.loads((model_folder / "schema.json").read_text(encoding="utf-8"))
    assert [item["name"] for item in schema["inputs"]] == [item.name for item in INPUTS]
    assert all(
        item["unit"] and item["low"] < item["high"] and item["description"] for item in schema["inputs"]
    )


def test_the_reference_distributions_each_sum_to_one(model_folder: Path) -> None:
    reference = Reference.model_validate_json((model_folder / "reference.json").read_bytes())
    for name, part in reference.inputs.items():
        assert sum(part.shares) + part.missing == pytest.approx(1.0), name
        assert len(part.shares) == len(part.edges) + 1, name


class Foreign:
    """Something nobody agreed to load."""


def test_a_model_with_a_type_off_the_list_is_refused() -> None:
    with pytest.raises(
        ArtifactError, match=r"m\.skops: holds types that are not on the trusted list: .*Foreign"
    ):
        persist.loads(skops.io.dumps(Foreign()), "m.skops")


def test_a_damaged_model_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"m\.skops: not a readable skops file"):
        persist.loads(b"PK not a zip", "m.skops")


def test_training_reads_nothing_of_the_service() -> None:
    """The pipeline keeps a model when only the service changes, which is sound as long as this holds."""
    code = (
        "import sys, app.training.__main__\n"
        "print([name for name in sys.modules if name.startswith(('app.serving', 'app.monitoring'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_calibrated_model_ranks_as_the_uncalibrated_one(table: Table) -> None:
    """Cross-validation scores the model without its sigmoid; this is why it may."""
    rows = slice(0, 500)
    inputs, y = table.inputs[rows], table.target[rows]
    plain = fitted(build_model(), inputs, y).predict_proba(inputs)[:, 1]
    calibrated = fitted(build_calibrated(), inputs, y).predict_proba(inputs)[:, 1]
    order = np.argsort(plain, kind="stable")
    assert (np.diff(calibrated[order]) >= 0).all()


def test_metrics_have_the_documented_schema_and_finite_figures(model_folder: Path) -> None:
    assert Metrics.model_validate_json((model_folder / "metrics.json").read_bytes()).schema_version == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere.csv", "--output", "out"], "error: nowhere.csv: No such file or directory."),
        (
            ["--data", str(ROOT / "app/data/loanapp.csv"), "--output", "/dev/null/x"],
            "error: /dev/null/x: Not a directory.",
        ),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(
    arguments, message, tmp_path, capsys, monkeypatch
) -> None:
    from app.training.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert len(error.splitlines()) == 1
