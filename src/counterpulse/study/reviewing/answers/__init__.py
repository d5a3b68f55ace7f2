"""What a review's methods find, as rows and blocks."""
