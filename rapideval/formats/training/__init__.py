"""Formats of trainers and of published datasets, one module each."""
