"""Miles given and taken back. Same shape as `amcash`; it may not import it, nor be imported."""
