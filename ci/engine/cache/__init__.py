"""What the engine keeps between sessions as a whole: what is in it, what it may take, what leaves it."""
