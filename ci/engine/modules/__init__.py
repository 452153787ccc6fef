"""Dagger modules: other people's functions, found by their dagger.json, typed, and run in containers."""
