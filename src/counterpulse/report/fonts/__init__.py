"""The typefaces that ship (see README.md for what each holds and its license)."""
