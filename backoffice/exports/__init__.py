"""Files for people and programs outside: the same rows as on screen, streamed."""
