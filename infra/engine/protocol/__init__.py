"""Pulumi's gRPC protocol: the servers that a program talks to, and the program itself as a process."""
