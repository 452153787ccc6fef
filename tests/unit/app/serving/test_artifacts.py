import json
import shutil
from pathlib import Path

import pytest

from app.errors import ArtifactError
from app.serving.artifacts import read_artifacts


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["model.skops", "metrics.json", "schema.json", "reference.json", "lineage.json"]
)
def test_a_missing_artifact_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name}: No such file.*--model DIR"):
        read_artifacts(folder)


@pytest.mark.parametrize("name", ["metrics.json", "schema.json", "reference.json", "lineage.json"])
def test_a_damaged_artifact_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text('{"half', encoding="utf-8")
    with pytest.raises(ArtifactError, match=rf"{name}: .*Train the model again"):
        read_artifacts(folder)


def test_an_altered_model_is_refused(folder: Path) -> None:
    with (folder / "model.skops").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ArtifactError, match=r"model\.skops: SHA-256 is .* but lineage\.json says"):
        read_artifacts(folder)


def test_a_model_trained_for_other_inputs_is_refused(folder: Path) -> None:
    edit(folder / "schema.json", lambda schema: schema["inputs"].pop())
    with pytest.raises(ArtifactError, match="trained for other inputs"):
        read_artifacts(folder)


def test_a_model_of_another_scikit_learn_is_refused(folder: Path) -> None:
    edit(folder / "lineage.json", lambda lineage: lineage["libraries"].update({"scikit-learn": "0.1"}))
    with pytest.raises(ArtifactError, match=r"trained with scikit-learn 0\.1, but this is"):
        read_artifacts(folder)
