"""No collector number anywhere but where it must be: a search of all that is kept and shown."""
