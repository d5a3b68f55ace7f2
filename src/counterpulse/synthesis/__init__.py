"""Meta-analysis: effect sizes, pooling, heterogeneity, small-study effects, Bayes, sequential, network."""
