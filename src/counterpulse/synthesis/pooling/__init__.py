"""One effect from several studies: inverse variance, Mantel-Haenszel, Peto, generalized linear and three-level models, regression."""
