"""Patients matched or weighted before the method of an analysis sees them."""
