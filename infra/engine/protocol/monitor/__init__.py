"""The resource monitor: what a program asks of the deployment."""
