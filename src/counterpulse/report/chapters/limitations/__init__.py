"""Limitations that the design and the data bring."""
