"""One step: what it is given and shown, how it is run, and what it leaves behind."""
