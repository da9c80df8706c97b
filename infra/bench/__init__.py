"""Measurements of the pipeline's parts, on systems of their own."""
