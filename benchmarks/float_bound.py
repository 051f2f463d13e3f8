"""What the input's bits allow: a float network of the same shape, taught on the same bits.

``python benchmarks/float_bound.py hls_configs/cnv-fashion_mnist.yaml --data-dir DIR --thresholds 16`` replaces
binary weights by real ones, signs by rectifiers, and puts dropout before dense layers. It prints the accuracy on
the validation images after each epoch: a binary network of this shape can hardly do better.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from ablation import changed
from recipe_parts import Layers, copy_of, keras

from xnorflow.flow.config_file import load_config
from xnorflow.net.inputs import InputSettings
from xnorflow.sources.data.sets import load_dataset
from xnorflow.sources.training.train import build_network

DROPOUT, LEARNING_RATE, BATCH = 0.4, 2e-3, 128


def real(layer: Any) -> Layers:
    """Return what stands in place of a layer: real weights, rectifiers, dropout before a dense layer."""
    kind = type(layer).__name__
    if kind == "QConv2D":
        settings = {"strides": layer.strides, "use_bias": False, "name": layer.name}
        return [keras.layers.Conv2D(layer.filters, layer.kernel_size, **settings)]
    if kind == "QDense":
        return [keras.layers.Dropout(DROPOUT), keras.layers.Dense(layer.units, use_bias=False, name=layer.name)]
    return [keras.layers.Activation("relu", name=layer.name) if kind == "QActivation" else copy_of(layer)]


def main() -> None:
    """Train one float network."""
    parser = argparse.ArgumentParser(description="accuracy of a float network of the same shape on the same bits")
    parser.add_argument("config", type=Path)
    parser.add_argument("--data-dir", type=Path, help="folder with the idx files")
    parser.add_argument("--thresholds", type=int, nargs="+", help="in place of the configuration's")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    given: list[int] | None = arguments.thresholds
    chosen = config.input.pixel_threshold if given is None else given if len(given) > 1 else given[0]
    settings = InputSettings(1, chosen)
    data = load_dataset(config.data, arguments.data_dir)
    keras.utils.set_random_seed(arguments.seed)
    binary = build_network(config.network_file, data.keras_shape, data.n_classes, settings)
    source = settings.keras_input(tuple(binary.input_shape[1:]))
    train, validation = (
        (source.encode(split.images).astype(np.float32), split.labels) for split in (data.train, data.validation)
    )
    model = changed(binary, real)
    steps = arguments.epochs * -(-len(train[1]) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], steps_per_execution=50)
    model.fit(*train, batch_size=BATCH, epochs=arguments.epochs, validation_data=validation, verbose=2)


if __name__ == "__main__":
    main()
