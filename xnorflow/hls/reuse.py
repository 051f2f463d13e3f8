"""Reuse factors that hls4ml's dense kernel accepts.

hls4ml 1.3.0 replaces another one silently by its neighbour (``FPGABackend._validate_reuse_factor``).
"""

from __future__ import annotations

import math


def legal_reuse_factors(n_in: int, n_out: int) -> list[int]:
    """Return the legal reuse factors of a layer of ``n_in`` inputs and ``n_out`` outputs, ascending.

    With ``m = min(n_in, rf)`` and ``lim = ceil(n_in * n_out / m)`` a factor ``rf`` is legal where
    it divides ``n_in * n_out``, where ``lim`` is a multiple of ``n_out`` or ``rf >= n_in``, and
    where it is a multiple of ``n_in`` or below it. A convolution under strategy Resource and
    ``io_parallel`` takes only those up to ``n_in``.
    """
    total = n_in * n_out
    small = [factor for factor in range(1, math.isqrt(total) + 1) if total % factor == 0]
    divisors = sorted({*small, *(total // factor for factor in small)})
    return [factor for factor in divisors if _is_legal(n_in, n_out, factor)]


def _is_legal(n_in: int, n_out: int, factor: int) -> bool:
    limit = -(-n_in * n_out // min(n_in, factor))
    return (limit % n_out == 0 or factor >= n_in) and (factor % n_in == 0 or factor < n_in)
