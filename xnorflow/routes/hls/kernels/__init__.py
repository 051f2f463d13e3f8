"""XNOR kernels, as a backend of hls4ml."""
