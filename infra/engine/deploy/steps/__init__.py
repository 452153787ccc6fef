"""Steps, and through them: what each does, written down before and after, and told."""
