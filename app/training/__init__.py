"""Makes the model and everything that is written beside it; never imports the service."""
