"""Networks of binary layers in QKeras, through hls4ml."""

import numpy as np
import pytest

from xnorflow.base.keras_stack import import_hls4ml, import_keras, import_qkeras


@pytest.fixture(scope="module")
def hls4ml():
    module = import_hls4ml()
    from xnorflow.routes.hls.kernels.backend import register

    register(module.backends.register_backend, module.writer.register_writer)
    return module


def binary_dense(n, name, **settings):
    qkeras = import_qkeras()
    return qkeras.QDense(n, **{"use_bias": False, "kernel_quantizer": qkeras.binary(alpha=1), **settings}, name=name)


def sign(name, kind="binary"):
    return import_qkeras().QActivation(kind, name=name)


def norm(name, **settings):
    return import_keras().layers.BatchNormalization(name=name, **settings)


def model_of(shape, *layers):
    keras, random = import_keras(), np.random.default_rng(5)
    model = keras.Sequential([keras.layers.InputLayer(shape, name="inp"), *layers], name="net")
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = int(layer.moving_mean.shape[0])
            # negative scales, one of zero, and offsets that put a sum exactly on a threshold
            scale = random.choice([-1.5, 0.75, 2.0], n)
            scale[0] = 0
            values = [scale, random.normal(size=n), random.integers(-2, 3, n), random.uniform(0.5, 2, n)]
            given = [layer.scale, layer.center, True, True]
            layer.set_weights([value for value, is_there in zip(values, given, strict=True) if is_there])
    return model


def convert(hls4ml, model, folder, backend="XnorVivado", io_type="io_parallel", **layers):
    settings = hls4ml.utils.config_from_keras_model(model, granularity="name")
    for name, values in layers.items():
        settings["LayerName"][name] |= values
    return hls4ml.converters.convert_from_keras_model(
        model, hls_config=settings, backend=backend, io_type=io_type, output_dir=str(folder), part="xc7z010clg400-1"
    )


def classes_of(graph):
    return {node.name: node.class_name for node in graph.get_layers()}
