"""The normal-normal model with a prior, without simulation."""
