"""Synthesis tools: what to run, and the numbers in what they leave."""
