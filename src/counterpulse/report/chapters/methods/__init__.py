"""The methods section, from the plan alone."""
