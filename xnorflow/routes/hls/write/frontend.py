"""NetSpec as hls4ml reads networks: a list of layers and a configuration.

hls4ml's own reading of a Keras model rounds thresholds the wrong way, gets a negative BatchNorm
scale wrong and leaves types at 16 bits. This frontend hands it the folded network instead: weights
already flipped, and a BatchNorm whose threshold comes out as T exactly.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.ints import fixed_type
from xnorflow.net.layers import ConvSpec, LayerSpec, ScoreSpec
from xnorflow.net.names import MOST_LETTERS
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.plan.network import HlsPlan
from xnorflow.routes.hls.plan.types import input_type
from xnorflow.routes.hls.settings import XNOR

Layer = dict[str, Any]
INPUT_NAME = "pixels"
# hls4ml refuses layers of this name
RESERVED = "input"
# Any power of two gives the threshold exactly; with 1, hls4ml drops a BatchNorm whose thresholds are all 0.
THRESHOLD_SCALE = 2.0


def node_names(spec: NetSpec) -> dict[str, str]:
    """Return the name of each layer's node in hls4ml: the layer's own, unless hls4ml or another node has it."""
    taken = {INPUT_NAME, RESERVED}
    names: dict[str, str] = {}
    for layer in spec.layers:
        # hls4ml's names begin with a letter
        plain = layer.name if layer.name[0].isalpha() else f"layer{layer.name}"
        name, number = plain[:MOST_LETTERS], 1
        # in its configuration hls4ml does not tell capitals from small letters
        while taken & (nodes := _nodes_of(name.lower())):
            number += 1
            end = f"_{number}"
            name = plain[: MOST_LETTERS - len(end)] + end
        names[layer.name] = name
        taken |= nodes
    return names


def _nodes_of(name: str) -> set[str]:
    """Return the names of everything that a layer becomes."""
    return {name, f"bnbt_{name}_norm", *(f"{name}_{part}" for part in ("flat", "norm", "sign", "pool"))}


def layer_list(spec: NetSpec, weight_quantizer: Any) -> list[Layer]:
    """Return the network in the form of hls4ml's ``ModelGraph.from_layer_list``.

    Args:
        spec: the network.
        weight_quantizer: hls4ml quantizer that stores +1/-1 as the bits 1/0.
    """
    layers: list[Layer] = [{"class_name": "InputLayer", "name": INPUT_NAME, "input_shape": list(spec.input.shape)}]
    for layer, shape in spec.walk():
        if layer.weights.ndim == 2 and len(shape) == 3:
            layers.append({"class_name": "Reshape", "name": f"{layer.name}_flat", "target_shape": [math.prod(shape)]})
        layers.append(_product(layer, shape, weight_quantizer))
        if isinstance(layer, ScoreSpec):
            layers.extend(_normalisation(layer))
        else:
            layers.extend(_threshold(layer, shape))
    for entry in layers:
        entry.setdefault("data_format", "channels_last")
    return layers


def _product(layer: LayerSpec, shape: tuple[int, ...], quantizer: Any) -> Layer:
    common = {
        "name": layer.name,
        "weight_data": layer.weights.astype(np.float32),
        "bias_data": None,
        "use_bias": False,
        "weight_quantizer": quantizer,
        "bias_quantizer": None,
    }
    if not isinstance(layer, ConvSpec):
        return {"class_name": "Dense", "n_in": layer.n_in, "n_out": layer.n_out, **common}
    rows, columns, channels = layer.conv_shape(shape)
    return {
        "class_name": "Conv2D",
        **dict(zip(("in_height", "in_width", "n_chan"), shape, strict=True)),
        **dict(zip(("filt_height", "filt_width"), layer.weights.shape[:2], strict=True)),
        **dict(zip(("stride_height", "stride_width"), layer.strides, strict=True)),
        **{"out_height": rows, "out_width": columns, "n_filt": channels},
        **_no_padding(),
        **common,
    }


def _threshold(layer: Any, shape: tuple[int, ...]) -> list[Layer]:
    conv = isinstance(layer, ConvSpec)
    sums = layer.conv_shape(shape) if conv else layer.output_shape(shape)
    n_out = layer.n_out
    norm = {
        "name": threshold_norm(layer),
        "n_filt": n_out if conv else -1,
        **_batch_norm(
            math.prod(sums), np.full(n_out, THRESHOLD_SCALE), -THRESHOLD_SCALE * layer.thresholds.astype(np.float64)
        ),
    }
    sign: Layer = {"class_name": "Activation", "name": f"{layer.name}_sign", "activation": "binary_tanh"}
    # as the Keras reader says that it is QKeras' ``binary``: +1 at zero
    sign["activation_quantizer"] = {"class_name": "binary_tanh", "config": {"use_01": False, "alpha": None}}
    if not conv or layer.pool == (1, 1):
        return [norm, sign]
    rows, columns, channels = layer.output_shape(shape)
    pool = {
        "class_name": "MaxPooling2D",
        "name": f"{layer.name}_pool",
        **{"in_height": sums[0], "in_width": sums[1], "n_filt": channels},
        **dict(zip(("pool_height", "pool_width"), layer.pool, strict=True)),
        **dict(zip(("stride_height", "stride_width"), layer.pool, strict=True)),
        **{"out_height": rows, "out_width": columns},
        **_no_padding(),
    }
    return [norm, sign, pool]


def threshold_norm(layer: LayerSpec) -> str:
    """Name of the BatchNorm that carries a hidden layer's thresholds."""
    return f"{layer.name}_norm"


def threshold_node(layer: LayerSpec) -> str:
    """Name of the node that hls4ml merges that BatchNorm and its sign into."""
    return f"bnbt_{threshold_norm(layer)}"


def output_node(layer: LayerSpec, kernel: str) -> str:
    """Name of the node whose output is the layer's output in NetSpec."""
    if isinstance(layer, ScoreSpec):
        return f"{layer.name}_norm" if _is_normalised(layer) else layer.name
    if isinstance(layer, ConvSpec) and layer.pool != (1, 1):
        return f"{layer.name}_pool"
    # our kernel is product and threshold in one
    return layer.name if kernel == XNOR else threshold_node(layer)


def _is_normalised(layer: ScoreSpec) -> bool:
    """Whether the scores have a normalisation that does something; hls4ml drops one that does not."""
    if layer.scale is None or layer.offset is None:
        return False
    return bool((layer.scale != 1 << layer.fraction_bits).any() or layer.offset.any())


def _normalisation(layer: ScoreSpec) -> list[Layer]:
    if not _is_normalised(layer):
        return []
    assert layer.scale is not None and layer.offset is not None
    unit = float(1 << layer.fraction_bits)
    fields = _batch_norm(layer.n_out, layer.scale / unit, layer.offset / unit)
    return [{"name": f"{layer.name}_norm", "n_filt": -1, **fields}]


def _batch_norm(n_in: int, scale: NDArray[np.float64], offset: NDArray[np.float64]) -> Layer:
    """A BatchNormalization that computes ``scale * x + offset`` and nothing else: mean 0, variance 1."""
    return {
        "class_name": "BatchNormalization",
        "n_in": n_in,
        "n_out": n_in,
        "use_gamma": True,
        "gamma_data": scale,
        "use_beta": True,
        "beta_data": offset,
        "mean_data": np.zeros_like(scale),
        "variance_data": np.ones_like(scale),
        "epsilon": 0.0,
    }


def _no_padding() -> Layer:
    return {"pad_top": 0, "pad_bottom": 0, "pad_left": 0, "pad_right": 0, "padding": "valid"}


def hls_config(plan: HlsPlan) -> dict[str, Any]:
    """Return hls4ml's ``HLSConfig`` with the types, strategies and reuse factors by layer name."""
    spec = plan.spec
    names: dict[str, Any] = {INPUT_NAME: {"Precision": {"result": input_type(spec).hls4ml}, "Trace": False}}
    for layer in plan.layers:
        names[layer.spec.name] = {
            "Precision": {"accum": layer.types.accum.hls4ml, "result": layer.types.result.hls4ml},
            "Strategy": layer.strategy,
            "ReuseFactor": layer.reuse_factor,
            "Trace": True,
        }
        if layer.folding is not None:
            names[layer.spec.name]["Folding"] = dataclasses.asdict(layer.folding)
        for node in (threshold_norm(layer.spec), output_node(layer.spec, plan.settings.kernel)):
            names.setdefault(node, {})["Trace"] = True
    if _is_normalised(spec.scores):
        names[f"{spec.scores.name}_norm"]["Precision"] = _normalisation_types(spec)
    return {
        # nothing may fall back on the default, so it is one that would show
        "Model": {"Precision": "int<2>", "ReuseFactor": 1, "Strategy": "Resource", "BramFactor": 10**9},
        "LayerName": names,
    }


def _normalisation_types(spec: NetSpec) -> dict[str, str]:
    scores = spec.scores
    assert scores.scale is not None and scores.offset is not None
    largest = int((np.abs(scores.scale) * spec.max_abs_sum(scores) + np.abs(scores.offset)).max())
    return {
        "scale": fixed_type([int(value) for value in scores.scale], scores.fraction_bits).hls4ml,
        "bias": fixed_type([int(value) for value in scores.offset], scores.fraction_bits).hls4ml,
        "result": fixed_type([-largest, largest], scores.fraction_bits).hls4ml,
    }
