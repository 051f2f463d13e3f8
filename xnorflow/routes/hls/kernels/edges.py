"""What BatchNorm and sign behind a binary layer make of its sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import ConfigError
from xnorflow.net.rules import check_finite, check_sign
from xnorflow.net.thresholds import Fires
from xnorflow.routes.hls.kernels.product import keras_layer
from xnorflow.routes.hls.kernels.values import Values

# float32 numbers up to here are whole ones without a gap
EXACT_FLOAT32 = 1 << 24
# sums that are looked at one by one; more take too long
MOST_SUMS = 1 << 21


def fires_behind(product: Any, norm: Any | None, sign: Any, values: Values, n_in: int, n_out: int) -> Fires:
    """Return what the layers behind a product make of its sums.

    Args:
        product: hls4ml's node of the layer.
        norm: node of its BatchNorm, if it has one.
        sign: node of its activation.
        values: what the layer reads.
        n_in: inputs of a neuron.
        n_out: neurons.

    Raises:
        ConfigError: BatchNorm and sign that can't be folded exactly.
    """
    check_activation(sign)
    if norm is not None:
        check_norm(norm, n_out)
    highest = n_in * values.max_abs
    if 2 * highest // values.step > MOST_SUMS:
        raise ConfigError(
            f"layer {product.name}: its sums have {2 * highest // values.step + 1:,} values, at most {MOST_SUMS:,} "
            "are looked at; give its input a narrower type (Precision), such as uint<8>, or int<2> for +1/-1"
        )
    keras = _keras_layers(product, norm, sign)
    spatial = (1, 1) if len(product.get_output_variable().shape) == 3 else ()
    unit = 2.0**-values.fraction_bits
    if keras:
        return _by_keras(keras, spatial, unit)
    return _is_positive if norm is None else _by_numbers(norm, unit)


def check_activation(sign: Any) -> None:
    """Refuse what is not +1 from 0 on and -1 below.

    Raises:
        ConfigError: naming the layer.
    """
    quantizer = sign.get_attr("activation_quantizer")
    settings = quantizer.get("config", {}) if isinstance(quantizer, dict) else {}
    if not isinstance(quantizer, dict) or "bits" in settings:
        check_sign(sign.name, "binary_tanh", {}, "binary_tanh (-1 at zero)")
    check_sign(sign.name, "binary", settings, f"binary of {settings}")


def check_norm(norm: Any, n_out: int) -> None:
    """Refuse a BatchNorm that is not one scale and offset per channel, or that hls4ml has not read as it is.

    Raises:
        ConfigError: naming the layer.
    """
    arrays = [np.asarray(norm.get_attr(f"{name}_data")) for name in ("gamma", "beta", "mean", "variance")]
    keras = keras_layer(norm.model, norm.name)
    wrong_axis = keras is not None and list(keras.axis) != [len(keras.input.shape) - 1]
    if wrong_axis or any(array.size not in (1, n_out) for array in arrays) or arrays[2].size != n_out:
        raise ConfigError(f"layer {norm.name}: BatchNormalization must normalise the {n_out} channels before it")
    check_finite(norm.name, arrays)
    own = [getattr(keras, name, None) for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    if any(its is not None and not np.array_equal(its, read) for its, read in zip(own, arrays, strict=True)):
        # hls4ml looks for a weight by a part of its full name, which begins with the layer's
        raise ConfigError(
            f"layer {norm.name}: hls4ml mistakes its weights for one another, as the layer is called like one of "
            "them; rename it"
        )


def _keras_layers(product: Any, norm: Any | None, sign: Any) -> list[Any]:
    """Return what Keras itself computes, where the graph was read from a Keras model."""
    model = product.model
    found = [keras_layer(model, node.name) for node in (norm, sign) if node is not None]
    if found[-1] is None:
        # hls4ml makes a layer of its own of a product's activation
        found[-1] = getattr(keras_layer(model, product.name), "activation", None)
    return [] if found[-1] is None else found


def _by_keras(layers: list[Any], spatial: tuple[int, ...], unit: float) -> Fires:
    def fires(sums: NDArray[np.int64]) -> NDArray[np.bool_]:
        # the rank of the real activations, for Keras computes a BatchNorm of 4 axes by another kernel
        values: Any = (sums * unit).astype(np.float32).reshape(len(sums), *spatial, -1)
        for layer in layers:
            values = layer(values, training=False) if type(layer).__name__ == "BatchNormalization" else layer(values)
        on: NDArray[np.bool_] = np.asarray(values).reshape(sums.shape) > 0
        return on

    return fires


def _is_positive(sums: NDArray[np.int64]) -> NDArray[np.bool_]:
    return sums >= 0


def _by_numbers(norm: Any, unit: float) -> Fires:
    """Without Keras its rounding is not known: refuse where it could matter."""
    gamma, beta, mean, variance = (
        np.asarray(norm.get_attr(f"{name}_data"), np.float64) for name in ("gamma", "beta", "mean", "variance")
    )
    epsilon = float(norm.get_attr("epsilon"))
    scale = gamma / np.sqrt(variance + epsilon)
    whole = not mean.any() and (variance + epsilon == 1).all() and (gamma % 1 == 0).all() and (beta % 1 == 0).all()

    def fires(sums: NDArray[np.int64]) -> NDArray[np.bool_]:
        values = (sums * unit - mean) * scale + beta
        sizes = np.abs(sums * unit * scale) + np.abs(mean * scale) + np.abs(beta)
        if not (whole and sizes.max() < EXACT_FLOAT32) and (np.abs(values) <= 16 * sizes * 2.0**-24).any():
            raise ConfigError(
                f"layer {norm.name}: a sum lies too near to its threshold to be sure of Keras' rounding; convert "
                "from the Keras model itself"
            )
        on: NDArray[np.bool_] = values >= 0
        return on

    return fires
