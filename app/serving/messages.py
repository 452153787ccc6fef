"""Requests and answers. The request is made from the list of inputs, so the two cannot disagree."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model

from app.data.inputs import INPUTS, Input

BATCH_LIMIT = 100
"""Most applications in one request."""


class _Request(BaseModel):
    # Strict: "12", 1.5 for a count or 1 for a flag is a mistake to report, not one to guess at.
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def _field(item: Input) -> tuple[Any, Any]:
    kind: Any = {"flag": bool, "code": int, "count": int, "number": float}[item.kind]
    low, high = (None, None) if item.kind == "flag" else (kind(item.low), kind(item.high))
    description = f"{item.description} Unit: {item.unit}."
    if item.optional:
        return kind | None, Field(default=None, ge=low, le=high, description=description)
    return kind, Field(ge=low, le=high, description=description)


_FIELDS: dict[str, Any] = {item.name: _field(item) for item in INPUTS}
_Inputs: Any = create_model("_Inputs", __base__=_Request, **_FIELDS)


class Application(_Inputs):  # type: ignore[misc]  # mypy cannot see a class that is made from a list
    """A mortgage application. What may be left out says so; nothing else may, and nothing may be added."""


class Batch(_Request):
    """Several applications at once."""

    applications: Annotated[list[Application], Field(min_length=1, max_length=BATCH_LIMIT)]


def _form(body: Any) -> str:
    return "batch" if isinstance(body, dict) and "applications" in body else "single"


Body = Annotated[Annotated[Application, Tag("single")] | Annotated[Batch, Tag("batch")], Discriminator(_form)]
"""What /predict takes: one application, or a batch of them."""

Decision = Literal["approve", "deny", "refer"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Reason(_Answer):
    """What one input did to the answer."""

    input: str = Field(description="name of the input")
    effect: float = Field(
        description="log-odds of approval, less what they would be had this input the typical value; above 0 "
        "speaks for approval. One input is changed at a time, so the effects do not add up."
    )
    direction: Literal["for approval", "against approval"]
    description: str


class Prediction(_Answer):
    """The answer to one application."""

    probability: float = Field(description="calibrated probability of approval, 0 to 1")
    confidence: float = Field(description="probability of the likelier outcome, 0.5 to 1")
    decision: Decision = Field(description="refer: below the threshold, a human decides")
    reasons: list[Reason] = Field(
        description="strongest first; at most three, none when nothing moved the answer"
    )
    imputed: list[str] = Field(description="inputs that were left out and filled in with the median")


class Traced(_Answer):
    """Goes with every answer, so that it can be traced to the model and to its record."""

    request_id: str
    model_sha256: str
    threshold: float = Field(description="least confidence for a decision without a human")


class SingleAnswer(Prediction, Traced):
    """Answer to a single application."""


class BatchAnswer(Traced):
    """Answers to a batch, in its order."""

    predictions: list[Prediction]


class Problem(_Answer):
    """One thing wrong with a request."""

    field: str
    problem: str


class ErrorDetail(_Answer):
    """What went wrong, and where."""

    code: str
    message: str
    request_id: str
    problems: list[Problem] = []


class ErrorAnswer(_Answer):
    """The one shape of every error."""

    error: ErrorDetail
