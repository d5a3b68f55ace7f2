"""The planned analyses tried on simulated outcomes, before the outcome is looked at."""
