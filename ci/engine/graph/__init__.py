"""What a pipeline asks for, as immutable values with digests, and how they are brought about."""
