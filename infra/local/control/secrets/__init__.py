"""Secret Manager: secrets, their versions, and payloads that are kept encrypted."""
