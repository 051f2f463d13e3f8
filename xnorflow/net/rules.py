"""What has an exact binary equivalent, and the one line for what has none.

Two readers ask here: the one of Keras models (``sources/keras/chain.py``) and the one of hls4ml's graphs
(``routes/hls/kernels/product.py``). Each says in plain values what it found; what is allowed stands here alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from xnorflow.base.errors import ConfigError, shown

NORM, SIGN, POOL = "BatchNormalization", "QActivation", "MaxPooling2D"
# what may stand behind a hidden product: with pooling in neither place or one, with BatchNorm or without
_ORDERS = [
    [*first, *norm, SIGN, *last] for norm in ([], [NORM]) for first, last in (([], []), ([POOL], []), ([], [POOL]))
]
_ORDER = "pooling, BatchNormalization, QActivation('binary') or BatchNormalization, QActivation('binary'), pooling"


def wrong_kernel(layer: str, quantizer: str) -> ConfigError:
    """Return the error for a kernel quantizer that does not give +1 and -1."""
    return ConfigError(f"layer {shown(layer)}: kernel quantizer must be binary(alpha=1), got {quantizer}")


def wrong_sign(layer: str, activation: str) -> ConfigError:
    """Return the error for a QActivation that is not the sign."""
    advice = "; for a softmax behind the scores use Activation('softmax')" if "softmax" in activation else ""
    return ConfigError(f"layer {shown(layer)}: activation must be QActivation('binary'), got {activation}{advice}")


def check_kernel(layer: str, kind: str, settings: Mapping[str, Any]) -> None:
    """Refuse a kernel quantizer that does not give +1 and -1.

    Args:
        layer: its name.
        kind: the quantizer's class, "none" where there is none.
        settings: the quantizer's own arguments.

    Raises:
        ConfigError: naming the layer and what is allowed.
    """
    if kind != "binary":
        raise wrong_kernel(layer, kind)
    if settings.get("use_01"):
        raise wrong_kernel(layer, "use_01=True, whose weights are 0 and 1")
    if settings.get("use_stochastic_rounding"):
        raise wrong_kernel(layer, "use_stochastic_rounding=True")
    alpha: Any = settings.get("alpha")
    if np.ndim(alpha) or alpha != 1:
        bare = "; QKeras takes a bare 'binary' for that, so write alpha=1" if alpha == "auto_po2" else ""
        raise wrong_kernel(layer, f"alpha={alpha!r}, which scales the weights{bare}")


def check_sign(layer: str, kind: str, settings: Mapping[str, Any], label: str) -> None:
    """Refuse an activation that is not +1 from 0 on and -1 below.

    Args:
        layer: its name.
        kind: the quantizer's class.
        settings: the quantizer's own arguments.
        label: the activation as it was written, for the error.

    Raises:
        ConfigError: naming the layer and what is allowed.
    """
    alpha: Any = settings.get("alpha")
    scaled = np.ndim(alpha) > 0 or alpha not in (None, 1)
    if kind != "binary" or scaled or settings.get("use_01") or settings.get("use_stochastic_rounding"):
        raise wrong_sign(layer, label)


def check_product(layer: str, *, bias: bool, padded: bool, groups: int, dilation: Sequence[int]) -> None:
    """Refuse a product that is more than weights times inputs, or that reads what is no input.

    Raises:
        ConfigError: naming the layer and what is allowed.
    """
    if bias:
        raise ConfigError(f"layer {layer}: use_bias must be False; BatchNormalization has the offset already")
    if padded:
        raise ConfigError(f"layer {layer}: padding must be 'valid'; no bit means 0")
    if groups != 1 or any(rate != 1 for rate in dilation):
        raise ConfigError(f"layer {layer}: groups and dilation_rate must be 1, got {groups} and {tuple(dilation)}")


def check_channels_last(layer: str, data_format: str) -> None:
    """Refuse images whose channels do not come last.

    Raises:
        ConfigError: naming the layer.
    """
    if data_format != "channels_last":
        raise ConfigError(f"layer {layer}: data_format must be 'channels_last', got {data_format!r}")


def check_pool(layer: str, size: Sequence[int], strides: Sequence[int], *, padded: bool) -> None:
    """Refuse pooling that is more than an OR over windows side by side.

    Raises:
        ConfigError: naming the layer.
    """
    if tuple(size) != tuple(strides) or padded:
        raise ConfigError(f"layer {layer}: pooling must have padding 'valid' and strides equal to pool_size")


def check_finite(layer: str, arrays: Iterable[Any]) -> None:
    """Refuse a BatchNorm that holds NaN or infinity.

    Raises:
        ConfigError: naming the layer.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        raise ConfigError(f"layer {layer}: BatchNormalization holds NaN or infinity; train the network again")


def pools_first(layer: str, kinds: Sequence[str]) -> bool:
    """Whether pooling stands before the sign, in what follows a hidden product.

    Args:
        layer: the product's name.
        kinds: what follows it, in order: ``NORM``, ``SIGN``, ``POOL``, or the name of something else.

    Raises:
        ConfigError: they stand in another order than those that are exact.
    """
    if list(kinds) in _ORDERS:
        return POOL in kinds and kinds.index(POOL) < kinds.index(SIGN)
    found = ", ".join(kinds) or "nothing"
    raise ConfigError(
        f"layer {layer}: must be followed by {_ORDER}, with BatchNormalization right before QActivation('binary') or "
        f"nowhere; got {found}"
    )
