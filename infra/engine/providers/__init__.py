"""Providers: who creates, reads, updates and deletes resources, in this process or in a plugin."""
