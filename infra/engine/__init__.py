"""The embedded Pulumi engine: runs Python programs without the Pulumi CLI, on its protocol and its state."""
