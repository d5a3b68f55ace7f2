"""What every meta-analysis computes: variances between studies and weighted sums, on arrays, many reviews at once."""
