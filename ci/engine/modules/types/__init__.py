"""What modules have: types, functions, and their names."""
