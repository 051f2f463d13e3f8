"""Synthesis tools: for each a plan (files and commands) and a parse (report to numbers)."""
