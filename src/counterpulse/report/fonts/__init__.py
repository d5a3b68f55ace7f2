"""The typefaces that ship (see README.md for what each holds and its license), and what they can show."""
