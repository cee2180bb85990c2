"""Sponsors and their stores: who we are to the programme, and where each sale happens."""
