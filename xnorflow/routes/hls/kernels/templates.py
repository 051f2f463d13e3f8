"""The C++ text of our layers: a configuration struct and a function call each."""

from __future__ import annotations

from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate

from xnorflow.base.errors import ConfigError
from xnorflow.net.folding import LUT_ROM_DEPTH, Folding, reuse_factor_of
from xnorflow.routes.hls.kernels.nodes import (
    XnorMatrix,
    XnorPack,
    XnorPool2D,
    XnorSoftmax,
    XnorUnpack,
    XnorWindow,
    is_packed,
    uses_streams,
)

HEADER = "nnet_utils/nnet_xnor.h"
_IMAGE = ("in_height", "in_width", "filt_height", "filt_width", "stride_height", "stride_width")
_POOL = ("in_height", "in_width", "out_height", "out_width", "pool_height", "pool_width")


def _struct(node: Any, base: str, numbers: dict[str, int], others: dict[str, str]) -> str:
    lines = [f"    static const unsigned {name} = {value};" for name, value in numbers.items()]
    lines += [f"    static const bool {name} = {value};" for name, value in others.items() if name.startswith("is_")]
    lines += [f"    static const bool {name} = {value};" for name, value in others.items() if name.startswith("rom_")]
    lines += [f"    typedef {value} {name};" for name, value in others.items() if name.endswith("_t")]
    return "\n".join([f"struct config{node.index}{base} {{", *lines, "};\n"])


def product_numbers(node: Any) -> dict[str, int]:
    """Return the sizes in the configuration struct of a dense layer or a convolution."""
    folding: Folding = node.get_attr("packed_folding")
    n_in, n_out = node.get_attr("n_in"), node.get_attr("n_out")
    source, result = node.get_input_variable(), node.get_output_variable()
    conv = isinstance(node, XnorWindow)
    numbers = {
        "n_in": n_in,
        "n_out": n_out,
        # a convolution's windows come as one word each
        "n_chan": n_in if conv else source.width,
        "n_words": 1 if conv else source.words,
        "n_vectors": result.size() // n_out,
        "planes": source.planes,
        "pe": folding.pe,
        "simd": folding.simd,
        "reuse_factor": reuse_factor_of(n_in, n_out, folding),
        "shift": node.get_attr("shift"),
    }
    if conv:
        numbers |= {"in_chan": source.width, **{name: node.get_attr(name) for name in _IMAGE}}
    return numbers


class _ProductConfig(LayerConfigTemplate):  # type: ignore[misc]
    def format(self, node: Any) -> str:
        numbers = product_numbers(node)
        output = node.get_output_variable().type.name
        word = output if is_packed(node) or uses_streams(node.model) else f"nnet::array<{output}, {numbers['n_out']}>"
        others = {
            "rom_in_bram": str(numbers["reuse_factor"] > LUT_ROM_DEPTH).lower(),
            "weight_t": node.get_attr("weight_t").name,
            "accum_t": node.get_attr("start_t").name,
            "word_t": word,
        }
        return _struct(node, " : nnet::xnor_config", numbers, others)


class DenseConfig(_ProductConfig):
    """Configuration of a dense layer."""

    def __init__(self) -> None:
        super().__init__(XnorMatrix)


class ConvConfig(_ProductConfig):
    """Configuration of a convolution."""

    def __init__(self) -> None:
        super().__init__(XnorWindow)


class PoolConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Configuration of max-pooling."""

    def __init__(self) -> None:
        super().__init__(XnorPool2D)

    def format(self, node: Any) -> str:
        """Return the struct."""
        return _struct(node, "", {"n_chan": node.get_attr("n_filt"), **{k: node.get_attr(k) for k in _POOL}}, {})


class PackConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Configuration of the step from numbers to packed words."""

    def __init__(self) -> None:
        super().__init__(XnorPack)

    def format(self, node: Any) -> str:
        """Return the struct."""
        words = node.get_output_variable()
        numbers = {"n_words": words.words, "n_chan": words.width, "planes": words.planes}
        precision = node.get_input_variable().type.precision
        if words.planes == 1 < precision.width and not precision.signed:
            raise ConfigError(f"layer {node.name}: the sign of numbers without one ({precision}) is always +1")
        return _struct(node, "", numbers, {"is_signed": str(bool(precision.signed)).lower()})


class UnpackConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Configuration of the step from packed bits to numbers."""

    def __init__(self) -> None:
        super().__init__(XnorUnpack)

    def format(self, node: Any) -> str:
        """Return the struct."""
        words = node.get_input_variable()
        return _struct(node, "", {"n_words": words.words, "n_chan": words.width}, {})


class SoftmaxConfig(LayerConfigTemplate):  # type: ignore[misc]
    """Configuration of a softmax."""

    def __init__(self) -> None:
        super().__init__(XnorSoftmax)

    def format(self, node: Any) -> str:
        """Return the struct."""
        numbers = {**node.get_attr("numbers"), **{name: node.get_attr(name) for name in ("n_vectors", "coarser")}}
        others = {
            "is_signed": str(bool(node.get_input_variable().type.precision.signed)).lower(),
            "exp_t": node.get_attr("exponential_t").name,
            "inverse_t": node.get_attr("inverse_t").name,
        }
        return _struct(node, " : nnet::xnor_softmax_config", numbers, others)


class _Call(FunctionCallTemplate):  # type: ignore[misc]
    def __init__(self, layer: type, function: str, weights: tuple[str, ...] = ()) -> None:
        super().__init__(layer, include_header=[HEADER])
        self.function, self.weights = function, weights

    def format(self, node: Any) -> str:
        params = self._default_function_params(node)
        arguments = [params["input"], params["output"], *(node.get_weights(name).name for name in self.weights)]
        types = f"{params['input_t']}, {params['output_t']}, {params['config']}"
        return f"nnet::{self.function}<{types}>({', '.join(arguments)});"


def templates() -> list[Any]:
    """Return one configuration and one call for each layer of ours."""
    return [
        DenseConfig(),
        ConvConfig(),
        PoolConfig(),
        PackConfig(),
        UnpackConfig(),
        SoftmaxConfig(),
        _Call(XnorMatrix, "xnor_dense", ("weight", "start")),
        _Call(XnorWindow, "xnor_conv_2d", ("weight", "start")),
        _Call(XnorPool2D, "xnor_pool_2d", ("invert",)),
        _Call(XnorPack, "xnor_pack"),
        _Call(XnorUnpack, "xnor_unpack"),
        _Call(XnorSoftmax, "xnor_softmax", ("exponential", "inverse")),
    ]
