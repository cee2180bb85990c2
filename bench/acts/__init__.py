"""What the children do: code that knows Django, called by name from `bench.hands`."""
