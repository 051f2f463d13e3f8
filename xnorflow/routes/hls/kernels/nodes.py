"""The layers of our kernels in hls4ml's graph, and the variables between them.

Passes of hls4ml pick layers whose class name contains ``Dense`` or ``Conv2D``; ours have other names.

hls4ml turns every variable and type of a graph into its C++ form in a pass of its own; it leaves
alone what has that form already, which it tells by base class and by names that begin with ``HLS``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hls4ml.backends.vivado.vivado_types import VivadoArrayVariableDefinition, VivadoStreamVariableDefinition
from hls4ml.model.attributes import Attribute
from hls4ml.model.layers import Layer, register_layer
from hls4ml.model.types import (
    FixedPrecisionType,
    IntegerPrecisionType,
    NamedType,
    TensorVariable,
    WeightVariable,
    XnorPrecisionType,
)
from numpy.typing import NDArray

from xnorflow.base.ints import smallest_type
from xnorflow.net.folding import Folding
from xnorflow.routes.hls.kernels.rom import pack_words
from xnorflow.routes.hls.kernels.softmax_tables import exponentials, inverses, softmax_numbers


class HLSPackedType(NamedType):  # type: ignore[misc]
    """``width`` values of ``planes`` bits in one word."""

    def __init__(self, name: str, width: int, planes: int) -> None:
        super().__init__(name, XnorPrecisionType())
        self.width, self.planes = width, planes

    def definition_cpp(self) -> str:
        """Return the C++ line that defines the type."""
        return f"typedef nnet::packed<{self.width}, {self.planes}> {self.name};\n"


class _Packed(TensorVariable):  # type: ignore[misc]
    """Values that travel packed: ``words`` words of ``width`` values of ``planes`` bits."""

    def __init__(self, shape: list[int], words: int, planes: int, index: int, pragma: Any) -> None:
        name = f"layer{index}_t"
        super().__init__(shape, f"layer{index}_out", name, XnorPrecisionType())
        self.words, self.width, self.planes = words, int(np.prod(shape)) // words, planes
        self.type: Any = HLSPackedType(name, self.width, planes)
        self.pragma = pragma


class PackedArray(_Packed, VivadoArrayVariableDefinition):  # type: ignore[misc]
    """Packed values in an array (io_parallel)."""

    def definition_cpp(self, name_suffix: str = "", as_reference: bool = False) -> str:
        """Return the C++ text that declares the variable."""
        return f"{self.type.name} {self.name}{name_suffix}[{self.words}]"


class PackedStream(_Packed, VivadoStreamVariableDefinition):  # type: ignore[misc]
    """Packed values in a stream (io_stream)."""


class RomVariable(WeightVariable):  # type: ignore[misc]
    """Words of weights, as hls4ml writes them into a header and a text file."""

    def __init__(self, name: str, type_name: str, words: list[int], width: int) -> None:
        super().__init__(name, type_name, IntegerPrecisionType(width, signed=False), np.array(words, object))
        self.words, self.width = words, width

    def __iter__(self) -> Iterator[str]:
        return (f"0x{word:x}" for word in self.words)

    def initialisers(self) -> Iterator[str]:
        """Return the words as C++ initialisers; a literal holds 64 bits at most."""
        if self.width <= 64:
            return iter(self)
        return (f'{self.type.name}("{word}", 16)' for word in self)


def uses_streams(model: Any) -> bool:
    """Whether layers hand on streams (io_stream) or arrays (io_parallel)."""
    return bool(model.config.get_config_value("IOType") == "io_stream")


class _XnorLayer(Layer):  # type: ignore[misc]
    """A layer of ours; ``packed_output`` are bits in words, everything else is as hls4ml has it."""

    def _packed_output(self, shape: list[int], words: int, planes: int = 1) -> None:
        stream = uses_streams(self.model)
        # an array of one word becomes a register, a larger one a memory
        # in a chain of layers nothing waits for a whole image, so a stream needs no more than two places
        pragma = ("stream", min(words, 2)) if stream else "partition" if words == 1 else ""
        kind = PackedStream if stream else PackedArray
        self.set_attr(self.outputs[0], kind(shape, words, planes, self.index, pragma))


class XnorPack(_XnorLayer):
    """Numbers to packed words."""

    _expected_attributes = (Attribute("n_words"), Attribute("planes"))

    def initialize(self) -> None:
        """Make the output variable."""
        shape = list(self.get_input_variable().shape)
        self._packed_output(shape, self.get_attr("n_words"), self.get_attr("planes"))


class XnorUnpack(_XnorLayer):
    """Packed bits to numbers +1 and -1."""

    def initialize(self) -> None:
        """Make the output variable."""
        self.add_output_variable(list(self.get_input_variable().shape), precision=IntegerPrecisionType(2))


class _XnorProduct(_XnorLayer):
    """A binary weight matrix: thresholds and bits, or sums where ``result`` says their type."""

    _expected_attributes = (
        Attribute("n_in"),
        Attribute("n_out"),
        Attribute("shift"),
        # a configuration's own key is Folding: another name, which hls4ml does not write over
        Attribute("packed_folding", value_type=Folding),
        Attribute("packed_weights", value_type=np.ndarray),
        Attribute("packed_starts", value_type=np.ndarray),
    )

    def _product(self, shape: list[int], words: int) -> None:
        folding: Folding = self.get_attr("packed_folding")
        result = self.get_attr("sum_precision")
        if result is None:
            self._packed_output(shape, words)
        else:
            self.add_output_variable(shape, precision=result)
            # hls4ml would define a type for every precision that stays an attribute
            del self.attributes["sum_precision"]
        rom = pack_words(self.get_attr("packed_weights"), folding)
        self.set_attr("weight", RomVariable(f"w{self.index}", f"weight{self.index}_t", rom, folding.simd))
        starts, bits = self.get_attr("packed_starts"), self.get_attr("accum_bits")
        self.add_weights_variable(
            name="start",
            var_name="t{index}",
            type_name="start{index}_t",
            precision=IntegerPrecisionType(bits),
            data=np.asarray(starts),
        )


class XnorMatrix(_XnorProduct):
    """A binary dense layer."""

    def initialize(self) -> None:
        """Make output variable, weights and start values."""
        self._product([self.get_attr("n_out")], 1)


class XnorWindow(_XnorProduct):
    """A binary convolution without padding."""

    def initialize(self) -> None:
        """Make output variable, weights and start values."""
        shape = [self.get_attr("out_height"), self.get_attr("out_width"), self.get_attr("n_out")]
        self._product(shape, shape[0] * shape[1])


class XnorPool2D(_XnorLayer):
    """Max-pooling of +1/-1: OR; channels of ``inverted`` come out inverted."""

    _expected_attributes = (Attribute("inverted", value_type=np.ndarray),)

    def initialize(self) -> None:
        """Make output variable and the bits of the inverted channels."""
        shape = [self.get_attr("out_height"), self.get_attr("out_width"), self.get_attr("n_filt")]
        self._packed_output(shape, shape[0] * shape[1])
        self.add_weights_variable(
            name="invert",
            var_name="i{index}",
            type_name="invert{index}_t",
            precision=IntegerPrecisionType(1, signed=False),
            data=np.asarray(self.get_attr("inverted"), int),
        )


class XnorSoftmax(_XnorLayer):
    """Scores to probabilities."""

    _expected_attributes = (Attribute("n_in"), Attribute("n_vectors"), Attribute("step_bits"), Attribute("coarser"))

    def initialize(self) -> None:
        """Make output variable and tables."""
        precision = self.get_attr("probability")
        self.add_output_variable(list(self.get_input_variable().shape), precision=precision)
        # hls4ml would define a type for every precision that stays an attribute
        del self.attributes["probability"]
        step_bits, fraction_bits = self.get_attr("step_bits"), precision.width - precision.integer
        numbers = softmax_numbers(self.get_attr("n_in"), step_bits, fraction_bits)
        self.set_attr("numbers", numbers)
        self._table(
            "exponential", numbers["exp_bits"], exponentials(numbers["exp_size"], step_bits, numbers["exp_bits"])
        )
        self._table("inverse", numbers["inverse_bits"], inverses(numbers["inverse_size"], numbers["inverse_bits"]))

    def _table(self, name: str, fraction_bits: int, data: NDArray[np.int64]) -> None:
        self.add_weights_variable(
            name=name,
            var_name=f"{name}{{index}}",
            type_name=f"{name}{{index}}_t",
            precision=IntegerPrecisionType(fraction_bits + 1, signed=False),
            data=data,
        )


_LAYERS = (XnorPack, XnorUnpack, XnorMatrix, XnorWindow, XnorPool2D, XnorSoftmax)


def register_layers() -> None:
    """Make the layers known to hls4ml."""
    for layer in _LAYERS:
        register_layer(layer.__name__, layer)


def is_ours(node: Any) -> bool:
    """Whether a node of a graph is a layer of ours."""
    return isinstance(node, _XnorLayer)


def is_packed(node: Any) -> bool:
    """Whether a node gives packed words."""
    return is_ours(node) and isinstance(node.get_output_variable(), _Packed)


def named_types(node: Any) -> list[Any]:
    """Return the types that a node of a graph defines, with their names in C++."""
    values = [getattr(value, "type", value) for value in node.attributes.attributes.values()]
    return [value for value in values if isinstance(value, NamedType)]


def probability_type(fraction_bits: int) -> Any:
    """Return hls4ml's type of numbers from 0 to 1."""
    return FixedPrecisionType(fraction_bits + 1, 1, signed=False)


def number_type(lowest: int, highest: int, fraction_bits: int) -> Any:
    """Return hls4ml's type of numbers in units of ``2 ** -fraction_bits``."""
    bits = smallest_type(min(lowest, -1), highest).bits
    if fraction_bits == 0:
        return IntegerPrecisionType(bits)
    return FixedPrecisionType(bits, bits - fraction_bits)
