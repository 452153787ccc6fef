"""Modules' code at work: its container, its process, its calls, and what they give."""
