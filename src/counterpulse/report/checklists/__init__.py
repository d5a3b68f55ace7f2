"""Reporting guidelines as data: every item in our own words, with the rule that says where the report answers it."""
