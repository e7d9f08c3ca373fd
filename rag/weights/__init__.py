"""Weights by content: which files a model has, where they come from, and whether what is here is what was named."""
