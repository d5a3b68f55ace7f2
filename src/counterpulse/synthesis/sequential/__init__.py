"""Whether a growing meta-analysis holds enough information."""
