"""NetSpec to Verilog, and its simulation."""
