"""A registry as a process, to be killed: `program.py FOLDER PORT`."""

import sys
from pathlib import Path

import uvicorn

from ci.engine.store.blobs import Blobs
from infra.local.registry import AnyRepository, Registry

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    app = Registry(folder, Blobs(folder / "blobs"), AnyRepository())
    uvicorn.run(app, port=int(sys.argv[2]), log_level="error", lifespan="off")
