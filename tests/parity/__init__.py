"""The same small pipelines on the embedded engine and on Dagger's own: results and errors, compared."""
