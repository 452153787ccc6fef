"""What makes resources of requests: validation, versions, operations, and what drives the runtime."""
