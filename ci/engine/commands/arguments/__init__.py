"""The command line as Dagger's own reads it: flags by the conventions of Go's pflag, and their help."""
