"""Formats of labelling tools, one module each."""
