"""Resolvers for modules: where they come from, what they have, and the calls of their functions."""
