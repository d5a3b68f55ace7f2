"""Dummy patients from a dictionary, to rehearse a study before there are data."""
