"""xnorflow: binary neural networks on very small FPGAs, with every number exact."""

__version__ = "0.1.0"
