"""Reads the GraphQL schema back out of the generated client of the installed SDK."""
