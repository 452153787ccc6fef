"""What is watched while the service runs: drift, confidence, decisions handed to a human."""
