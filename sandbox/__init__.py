"""The programme's platform on your desk. Shares a specification with the partner, never code."""
