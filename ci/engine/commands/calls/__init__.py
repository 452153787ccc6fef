"""Calling functions from the command line: what there is to call, how it is typed, and what it gives."""
