"""Measures a model: ranking, calibration, confidence and fairness. Knows no particular model."""
