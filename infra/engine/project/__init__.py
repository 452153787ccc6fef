"""What the user's files say: the project, its stacks' configuration, the workspace and who is logged in."""
