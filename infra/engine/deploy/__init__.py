"""The deployment: from what a program asks for, and what the state says, to steps, and through them."""
