"""Folding, types and cycles of each layer of an HLS project."""
