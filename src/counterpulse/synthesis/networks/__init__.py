"""Many treatments compared at once."""
