"""Commands of the exports."""
