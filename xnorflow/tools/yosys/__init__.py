"""Yosys: synthesis for the 7-series, counted."""
