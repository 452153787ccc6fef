"""Services: containers that stay up, their networks, and the ways to and from the host."""
