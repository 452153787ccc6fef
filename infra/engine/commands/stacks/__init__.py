"""Commands on stacks, and on what is recorded of them."""
