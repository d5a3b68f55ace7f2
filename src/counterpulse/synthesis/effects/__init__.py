"""Effect sizes from whatever a paper printed: what is wrong with a row is said with its number, never passed over."""
