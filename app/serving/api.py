"""The HTTP interface: which paths there are and what they answer."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import Body as JsonBody
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST

from app.errors import AppError
from app.monitoring.dashboard import render
from app.serving.limits import BodyLimit
from app.serving.messages import Batch, BatchAnswer, Body, ErrorAnswer, SingleAnswer
from app.serving.problems import install
from app.serving.service import Service
from app.serving.tracing import Tracing

PATHS = ("/predict", "/healthz", "/readyz", "/version", "/metrics", "/dashboard", "/openapi.json")
_DASHBOARD_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The body is not JSON."},
    413: {"model": ErrorAnswer, "description": "The body is over 1 MiB."},
    422: {
        "model": ErrorAnswer,
        "description": "A field is missing, unknown, of the wrong type or out of bounds.",
    },
    503: {"model": ErrorAnswer, "description": "The model is still being loaded."},
}


def create_app(load: Callable[[], Any], on_failure: Callable[[AppError], None]) -> FastAPI:
    """The service as an ASGI app.

    Args:
        load: Gives the Artifacts to serve. It is called in a thread once the app has started, so that the
            port answers (``/healthz``) while scikit-learn is still being imported.
        on_failure: Is told when ``load`` raises an AppError; nothing will ever be ready then.
    """
    service = Service()

    async def prepare() -> None:
        try:
            artifacts = await anyio.to_thread.run_sync(load, abandon_on_cancel=True)
        except AppError as error:
            on_failure(error)
        else:
            service.serve(artifacts)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(prepare)
            yield
            tasks.cancel_scope.cancel()

    # The usual pages of documentation load scripts from elsewhere; /openapi.json is enough.
    app = FastAPI(title="Loan approval", lifespan=lifespan, docs_url=None, redoc_url=None)
    install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Tracing, telemetry=service.telemetry, paths=PATHS)
    _add_predict(app, service)
    _add_probes(app, service)
    _add_views(app, service)
    return app


def _add_predict(app: FastAPI, service: Service) -> None:
    @app.post("/predict", responses=_ERRORS)
    def predict(request: Request, body: Annotated[Body, JsonBody()]) -> SingleAnswer | BatchAnswer:
        """Decide on one application, or on up to 100 of them as ``{"applications": [...]}``."""
        request_id = request.state.request_id
        applications = body.applications if isinstance(body, Batch) else [body]
        predictions = service.decide(applications, request_id)
        trace = {
            "request_id": request_id,
            "model_sha256": service.loaded.sha256,
            "threshold": service.loaded.scorer.threshold,
        }
        if isinstance(body, Batch):
            return BatchAnswer(predictions=predictions, **trace)
        return SingleAnswer(**predictions[0].model_dump(), **trace)


def _add_probes(app: FastAPI, service: Service) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "alive"}

    @app.get("/readyz", responses={503: _ERRORS[503]})
    async def readyz() -> dict[str, str]:
        """A model is loaded."""
        return {"status": "ready", "model_sha256": service.loaded.sha256}

    @app.get("/version", responses={503: _ERRORS[503]})
    async def version() -> dict[str, Any]:
        """Model, data, code and libraries, each by digest or version."""
        return service.versions()


def _add_views(app: FastAPI, service: Service) -> None:
    @app.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Prometheus' text format."""
        return Response(service.telemetry.render(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/dashboard", response_class=HTMLResponse, responses={503: _ERRORS[503]})
    def dashboard() -> HTMLResponse:
        """Quality, fairness, confidence, drift and decisions, for people."""
        page = render(service.loaded.artifacts.metrics, service.loaded.sha256, service.telemetry)
        return HTMLResponse(page, headers={"content-security-policy": _DASHBOARD_POLICY})
