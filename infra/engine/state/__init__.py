"""Where a stack is written down: Pulumi's checkpoints, file backend and secrets."""
