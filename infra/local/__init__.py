"""The part of Google Cloud that a Cloud Run service needs, served on this machine."""
