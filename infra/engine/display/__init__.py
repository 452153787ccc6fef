"""What an operation shows of itself: engine events, and their views on a terminal and in JSON."""
