"""The schema that a client sees, with the types of modules in it."""
