"""Measures the pipeline as a person meets it, beside the same work done by hand."""
