"""XNOR-popcount kernels as a backend of hls4ml: ``XnorVivado`` and ``XnorVitis`` (docs/kernels.md)."""
