"""The retailer's staff: who they are, their role, and which stores they may see."""
