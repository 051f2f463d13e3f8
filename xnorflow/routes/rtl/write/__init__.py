"""The plan as Verilog files."""
