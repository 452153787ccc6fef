"""What is generated for modules: bindings to their dependencies, and the files of a new one."""
