"""The command line ``pulumi``, one module a group of commands."""
