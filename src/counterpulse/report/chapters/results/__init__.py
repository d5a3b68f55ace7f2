"""Estimates: the key result, results in words, tables of effects, subgroups."""
