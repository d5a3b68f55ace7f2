"""The neutral document in the forms people read."""
