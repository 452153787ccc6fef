"""Commands around the stacks: accounts, projects, configuration, plugins."""
