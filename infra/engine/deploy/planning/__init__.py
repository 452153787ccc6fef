"""What is to become of each resource: from a registration to steps."""
