"""The embedded engine: Dagger's API, served from Python; knows nothing of the pipeline that runs on it."""
