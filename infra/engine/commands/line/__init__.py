"""The command line: its words, flags and texts, and which engine serves it."""
