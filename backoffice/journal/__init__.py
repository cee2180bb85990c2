"""The transaction log: every intended movement of miles, committed before it is asked for."""
