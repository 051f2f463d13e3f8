"""Vivado HLS, Vitis HLS and Vivado."""
