"""Tills and tablets: the devices from which a store speaks."""
