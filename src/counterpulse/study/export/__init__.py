"""A finished study as scripts for other programs."""
