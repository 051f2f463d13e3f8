"""Sizes, cycles and cells of a folded network."""
