"""The commands of ``dagger``, one module each."""
