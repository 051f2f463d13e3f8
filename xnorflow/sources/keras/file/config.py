"""What a Keras file says of its layers, as plain data: checked before Keras sees any of it.

Keras 2 and Keras 3 say the same layers in slightly different words. Only what computes at inference is taken over.
Initializers, regularizers, constraints and the optimizer are left behind whatever they are, so nothing of them is
ever made; a layer or quantizer that is none of those below is refused by name, for making it could run code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from xnorflow.base.checks import got
from xnorflow.base.errors import ConfigError, shown
from xnorflow.sources.keras.chain import TRAINING_ONLY
from xnorflow.sources.keras.file.layers import Entry, Size, check_class, layer_settings, typed

# the largest vendor examples for these parts have 20
MOST_LAYERS = 1000


class _Layers(msgspec.Struct):
    layers: Annotated[list[Entry], Meta(min_length=1, max_length=MOST_LAYERS)]
    name: str = "network"
    build_input_shape: list[int | None] | None = None
    output_layers: list[Any] = []


class _Network(msgspec.Struct):
    class_name: str
    config: dict[str, Any]


@dataclass(frozen=True)
class LayerConfig:
    """A layer to make: its class, its name in the file, and the arguments of the class."""

    kind: str
    name: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class NetworkConfig:
    """A network to make: its name, the shape of one image that it reads, and its layers in order."""

    name: str
    shape: tuple[int, ...]
    layers: tuple[LayerConfig, ...]


def read_network(document: Any) -> NetworkConfig:
    """Check what Keras' JSON declares.

    Raises:
        ConfigError: a layer or quantizer that is not allowed, or layers that are no chain.
        DataError: it is no configuration of a Keras network.
    """
    network = typed(document, _Network, "")
    if network.class_name not in ("Sequential", "Functional", "Model"):
        raise ConfigError(
            f"{got(network.class_name)} is refused; a network must be a Sequential or a Model made of layers, "
            "and loading another could run code"
        )
    stored = typed(network.config, _Layers, "")
    for entry in stored.layers:
        check_class(entry)
    if network.class_name != "Sequential":
        _check_chain(stored)
    begins = 1 if stored.layers[0].kind == "InputLayer" else 0
    layers = tuple(
        LayerConfig(entry.kind, entry.name, layer_settings(entry))
        for entry in stored.layers[begins:]
        if entry.kind not in TRAINING_ONLY
    )
    return NetworkConfig(stored.name, _input_shape(stored), layers)


def _check_chain(network: _Layers) -> None:
    """Check that each layer of a Model is called once, on the layer before it, and not as in training."""
    last = network.layers[-1].name
    # Keras 3 leaves the outer brackets out where there is one output
    if network.output_layers[:1] not in ([last], [[last, 0, 0]]) or len(network.output_layers) not in (1, 3):
        raise ConfigError(f"network {shown(network.name)}: must have one output, that of its last layer")
    for before, entry in zip([None, *(layer.name for layer in network.layers)], network.layers, strict=False):
        calls, name = entry.inbound_nodes, entry.name
        sources = [source for call in calls for source in _sources(call)]
        if len(calls) != (before is not None) or sources != [before][: len(calls)]:
            follows = f"does not follow {shown(before)}" if before else "is not its input"
            raise ConfigError(f"layer {shown(name)}: the network must be a chain; this layer {follows}")
        if any(_found(calls, "training")):
            raise ConfigError(f"layer {shown(name)}: is called with training=True; leave that out and save it again")


def _sources(call: Any) -> list[Any]:
    """Return the layers that a call reads, in the words of Keras 3 or of Keras 2."""
    if isinstance(call, dict):
        return [history[0] for history in _found(call, "keras_history")]
    return [source[0] for source in call]


def _found(value: Any, key: str) -> Iterator[Any]:
    """Yield what stands under ``key``, at any depth."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _found(item, key)


def _input_shape(stored: _Layers) -> tuple[int, ...]:
    first = stored.layers[0].config
    shape = first.get("batch_input_shape") or first.get("batch_shape") or stored.build_input_shape
    try:
        sizes = msgspec.convert(shape, Annotated[list[int | None], Meta(min_length=2, max_length=4)])
        return tuple(msgspec.convert(sizes[1:], list[Size]))
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"network {shown(stored.name)}: must have one input of a fixed shape, got {got(shape)}; "
            "begin it with InputLayer(shape)"
        ) from error
