"""What is done to a stack as a whole, beside what its program registers."""
