"""Commands that foretell and do."""
