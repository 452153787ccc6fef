"""The input schema written beside the model, and the rule for a row of it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from app.data import INPUTS

VERSION: Final = 1


def input_schema() -> dict[str, Any]:
    """schema.json: inputs in the order of the model's columns, with unit and inclusive bounds."""
    return {
        "schema_version": VERSION,
        "target": "probability that the application is approved",
        "decisions": ["approve", "deny", "refer"],
        "inputs": [asdict(item) for item in INPUTS],
    }


def write_schema(path: Path) -> None:
    """Write schema.json."""
    path.write_text(json.dumps(input_schema(), indent=2) + "\n", encoding="utf-8")
