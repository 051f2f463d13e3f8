"""Synthesis tools: one file or package per tool, each with functions from text to numbers."""
