"""Kills real processes while cashiers work, then compares the programme's ledger with our log."""
