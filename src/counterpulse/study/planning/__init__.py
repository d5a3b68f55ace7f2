"""What the researcher wrote becomes the plan: every choice resolved, or refused with a remedy."""
