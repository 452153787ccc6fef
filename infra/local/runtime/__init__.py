"""Instances of revisions and tasks of jobs, in the sandbox."""
