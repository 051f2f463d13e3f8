"""HlsPlan -> a Vivado HLS or Vitis HLS project, written by hls4ml and then checked."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.base.device import orderable
from xnorflow.base.errors import ConfigError, DataError, ToolNotFound, shown
from xnorflow.base.files.atomic import write_error, write_json
from xnorflow.base.files.folders import empty
from xnorflow.base.files.plain import from_plain, read_json
from xnorflow.base.keras_stack import import_hls4ml
from xnorflow.net.layers import ScoreSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.kernels.rom import unpack_words
from xnorflow.routes.hls.kernels.values import values_read
from xnorflow.routes.hls.plan.network import HlsPlan
from xnorflow.routes.hls.write.frontend import (
    hls_config,
    layer_list,
    node_names,
    output_node,
    threshold_node,
)

PROJECT_NAME = "xnornet"
MANIFEST = "manifest.json"
# files with hls4ml's stamp, and what stands there instead
STAMPED, STAMP = ("build_lib.sh", "hls4ml_config.yml"), "xnorflow"


@dataclass(frozen=True)
class HlsProject:
    """An hls4ml project on disk.

    Attributes:
        folder: where it stands.
        top: name of its top function and of its files.
        input_size: values per image.
        n_classes: scores per image.
        product_nodes: node that gives each layer's sums, by layer name.
        output_nodes: node that gives each layer's output, by layer name.
        node_sizes: values per image of every node whose output can be looked at.
    """

    folder: Path
    top: str
    input_size: int
    n_classes: int
    product_nodes: dict[str, str]
    output_nodes: dict[str, str]
    node_sizes: dict[str, int]


def write_project(plan: HlsPlan, folder: str | Path, *, part: str, clock_mhz: float = 100.0) -> HlsProject:
    """Write an HLS project into ``folder``, which is emptied first.

    Args:
        plan: what each layer will be.
        folder: takes the project.
        part: the part it is for, as ``device_of`` takes it.
        clock_mhz: target clock.

    Raises:
        ConfigError: hls4ml made something else of the network.
        DataError: the folder is a link or somebody else's, or cannot be written.
        ToolNotFound: hls4ml is not installed.
    """
    folder, spec, names = Path(folder), plan.spec, node_names(plan.spec)
    nodes = plan.renamed(names)
    hls4ml = import_hls4ml()
    empty(folder)
    try:
        with _hls4ml_log(folder / "hls4ml.log"):
            target = {"part": orderable(part).lower(), "clock_period": 1000 / clock_mhz}
            graph = _build_graph(hls4ml, nodes, target, folder)
            (check_packed if plan.packed else _check_graph)(graph, nodes.spec)
            _write(graph, folder)
    except OSError as error:
        raise write_error(folder, error) from error
    # our own kernel keeps the sums of hidden layers to itself
    products = (spec.scores,) if plan.packed else spec.layers
    outputs = [output_node(node, plan.settings.kernel) for node in nodes.spec.layers]
    project = HlsProject(
        folder,
        PROJECT_NAME,
        spec.input.size,
        spec.n_classes,
        {layer.name: names[layer.name] for layer in products},
        {layer.name: output for layer, output in zip(spec.layers, outputs, strict=True)},
        {
            node.name: int(np.prod(node.get_output_variable().shape))
            for node in graph.get_layers()
            if node.get_attr("trace", False) and node.get_attr("function_cpp")
        },
    )
    write_json(folder / MANIFEST, {**asdict(project), "folder": "."})
    return project


def find_hls4ml() -> None:
    """Look for hls4ml without importing it.

    Raises:
        ToolNotFound: it is not installed.
    """
    if importlib.util.find_spec("hls4ml") is None:
        raise ToolNotFound("the conversion needs hls4ml, which is not installed; pip install 'xnorflow[flow]'")


def load_project(folder: str | Path) -> HlsProject:
    """Read back the project that ``write_project`` wrote to ``folder``.

    Raises:
        DataError: it has no manifest, or a damaged one.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    try:
        values = read_json(path)
        named = {**values, "folder": folder} if isinstance(values, dict) else values
        return from_plain(HlsProject, named, shown(path))
    except DataError as error:
        raise DataError(f"{error}; convert the network again") from error


@contextlib.contextmanager
def _hls4ml_log(path: Path) -> Any:
    """Send what hls4ml prints to a file beside the project."""
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        path.write_text(text.getvalue(), encoding="utf-8")


def _build_graph(hls4ml: Any, plan: HlsPlan, target: dict[str, Any], folder: Path) -> Any:
    name = plan.settings.backend
    if plan.packed:
        name = f"Xnor{name}"
        _register_backends(hls4ml)
    backend = hls4ml.backends.get_backend(name)
    plain = backend.create_initial_config(**target, io_type=plan.settings.io_type)
    plain |= {
        "OutputDir": str(folder),
        "ProjectName": PROJECT_NAME,
        "Backend": name,
        "Version": "1.0.0",
        "HLSConfig": hls_config(plan),
        "TraceOutput": True,
    }
    layers = layer_list(plan.spec, _weight_quantizer(hls4ml))
    return hls4ml.model.graph.ModelGraph.from_layer_list(plain, layers)


def _register_backends(hls4ml: Any) -> None:
    """Where xnorflow runs from its sources no installed package tells hls4ml of our backends."""
    from xnorflow.routes.hls.kernels.backend import register

    register(hls4ml.backends.register_backend, hls4ml.writer.register_writer)


def _weight_quantizer(hls4ml: Any) -> Any:
    class BipolarWeights(hls4ml.model.quantizers.Quantizer):  # type: ignore[misc]
        """Stores +1 as 1 and -1 as 0.

        hls4ml's own BinaryQuantizer would trigger a pass that replaces the solved types.
        """

        bipolar = True

        def __init__(self) -> None:
            super().__init__(bits=1, hls_type=hls4ml.model.types.XnorPrecisionType())

        def __call__(self, data: Any) -> Any:
            return (np.asarray(data) > 0).astype(int)

    return BipolarWeights()


def check_packed(graph: Any, spec: NetSpec) -> None:
    """Read weights and start values back from our layers in hls4ml's graph.

    Raises:
        ConfigError: they are others than the network's, or a layer has another kernel.
    """
    nodes = {node.name: node for node in graph.get_layers()}
    for layer in spec.layers:
        node, weights = nodes[layer.name], layer.weights.reshape(-1, layer.n_out)
        if not node.class_name.startswith("Xnor"):
            raise ConfigError(f"layer {layer.name}: hls4ml kept its own kernel {node.class_name}")
        words = node.get_weights("weight").words
        if not np.array_equal(unpack_words(words, *weights.shape, node.get_attr("packed_folding")), weights):
            raise ConfigError(f"layer {layer.name}: hls4ml holds other weights than the network")
        values = values_read(spec, layer)
        starts = (
            values.constants(weights)
            if isinstance(layer, ScoreSpec)
            else values.start_values(weights, layer.thresholds.astype(np.int64))
        )
        if not np.array_equal(node.get_weights("start").data, starts):
            raise ConfigError(f"layer {layer.name}: hls4ml holds other thresholds than the network")


def _check_graph(graph: Any, spec: NetSpec) -> None:
    """Read thresholds and weights back from hls4ml's graph: what it holds is what NetSpec says."""
    nodes = {node.name: node for node in graph.get_layers()}
    for layer in spec.layers:
        node, expected = nodes[layer.name], layer.weights > 0
        if node.get_attr("_weights_transposed", False):
            # strategy Resource keeps the neurons first
            expected = np.moveaxis(expected, -1, 0)
        if not np.array_equal(np.asarray(node.weights["weight"].data), expected):
            raise ConfigError(f"layer {layer.name}: hls4ml holds other weights than the network")
    for hidden in spec.hidden:
        thresholds = np.asarray(nodes[threshold_node(hidden)].weights["threshold"].data)
        if not np.array_equal(thresholds, hidden.thresholds):
            raise ConfigError(f"layer {hidden.name}: hls4ml holds other thresholds than the network")


def _write(graph: Any, folder: Path) -> None:
    """Write the project, and beside it a top function that also stores what every layer gives.

    The second one is for finding the layer where a mismatch begins; in the first one, looking at
    every layer would slow the simulation and fill ``tb_data/``.
    """
    writer = graph.config.backend.writer
    graph.write()
    top = folder / "firmware" / f"{PROJECT_NAME}.cpp"
    top.rename(folder / f"{PROJECT_NAME}_trace.cpp")
    graph.config.trace_output = False
    writer.write_project_cpp(graph)
    _settle_stamp(folder, graph.config.get_config_value("Stamp"))


def _settle_stamp(folder: Path, stamp: str) -> None:
    """Give the library's name an end that is always the same, so that the same plan gives the same files.

    hls4ml draws it at random, as one Python must not load two libraries of one name; here each has its own process.
    """
    for name in STAMPED:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        # YAML puts quotes around one that could be a number
        path.write_text(text.replace(f"'{stamp}'", stamp).replace(stamp, STAMP), encoding="utf-8")
