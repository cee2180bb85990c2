"""Mistakes that `bin/chaos` must find."""
