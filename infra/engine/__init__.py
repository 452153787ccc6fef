"""The embedded Pulumi engine: Pulumi programs in Python run without the Pulumi CLI, on the same protocol and state."""
