"""The back office: what happened, who did it, what needs a person. Decides nothing."""
