"""The decision record: a JSON line on stdout for each decision, without anything personal in it."""

import hashlib
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from app.serving.messages import Prediction


def record(
    request_id: str,
    model_sha256: str,
    applications: Sequence[Any],
    predictions: Sequence[Prediction],
    stream: TextIO | None = None,
) -> None:
    """Write one line for each application.

    Of the inputs it has a SHA-256 only: who holds the file of an application can prove which decision it got,
    and the log by itself tells nothing about anybody. Reasons are names and directions, not values.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    lines = [
        json.dumps(
            {
                "event": "decision",
                "time": now,
                "request_id": request_id,
                "position": position,
                "model_sha256": model_sha256,
                "input_sha256": input_digest(application),
                "probability": round(prediction.probability, 6),
                "confidence": round(prediction.confidence, 6),
                "decision": prediction.decision,
                "reasons": [f"{reason.input}: {reason.direction}" for reason in prediction.reasons],
                "imputed": prediction.imputed,
            }
        )
        for position, (application, prediction) in enumerate(zip(applications, predictions, strict=True))
    ]
    out = stream or sys.stdout
    out.write("\n".join(lines) + "\n")
    out.flush()


def input_digest(application: Any) -> str:
    """SHA-256 of an application as JSON with sorted keys, no spaces, and null for what was left out."""
    text = json.dumps(application.model_dump(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
