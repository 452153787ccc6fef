"""Exports what happens in a session as OpenTelemetry spans and logs, where the standard variables say so.

Nothing of the OpenTelemetry SDK is imported before somebody asks for it: it takes longer than the engine.
"""
