"""Cloud Run: services, revisions, jobs, executions and tasks."""
