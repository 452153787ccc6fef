"""How the app is delivered: the pipeline, its stages, and an engine for them."""
