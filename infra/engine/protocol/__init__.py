"""Pulumi's gRPC protocol: the servers that a program talks to, and the program itself as a process."""

import os

# Read when gRPC is imported, which all modules here do: that a connection ends is nobody's business.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
