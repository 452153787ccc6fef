"""Where the service is delivered: the deployment program, and a cloud on this machine to deliver to."""
