"""The backends ``XnorVivado`` and ``XnorVitis``: hls4ml's own, with one pass before all others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hls4ml.backends.backend import get_available_backends
from hls4ml.backends.vitis.vitis_backend import VitisBackend
from hls4ml.backends.vivado.vivado_backend import VivadoBackend
from hls4ml.model.flow import get_flow, register_flow
from hls4ml.model.optimizer import ModelOptimizerPass
from hls4ml.writer.vitis_writer import VitisWriter
from hls4ml.writer.vivado_writer import VivadoWriter

from xnorflow.routes.hls.kernels.nodes import register_layers
from xnorflow.routes.hls.kernels.recognise import recognise
from xnorflow.routes.hls.kernels.templates import templates
from xnorflow.routes.hls.kernels.writer import PackedProject

# nnet_xnor.h and the headers that it includes
_HEADERS = sorted(Path(__file__).parent.glob("*.h"))
RECOGNISE = "recognise_binary_layers"


class XnorVivadoWriter(PackedProject, VivadoWriter):  # type: ignore[misc]
    """Writes a Vivado HLS project."""


class XnorVitisWriter(PackedProject, VitisWriter):  # type: ignore[misc]
    """Writes a Vitis HLS project."""


class _XnorBackend:
    """What both backends add: kernels, templates, the pass, and a flow that begins with it."""

    name: str
    base: str
    register_pass: Callable[..., None]
    register_template: Callable[..., None]
    register_source: Callable[..., None]
    _get_layer_templates: Callable[[], list[str]]

    def _init_file_optimizers(self) -> dict[str, Any]:
        # hls4ml's own passes run under their own names; registering them again would double them
        return {RECOGNISE: ModelOptimizerPass(RECOGNISE, recognise)}

    def _register_flows(self) -> None:
        for template in templates():
            self.register_pass(template.get_name(), template)
        for header in _HEADERS:
            self.register_source(header)
        first = register_flow("recognise", [f"{self.name.lower()}:{RECOGNISE}"], backend=self.name)
        apply = register_flow(
            "apply_templates", self._get_layer_templates, requires=["vivado:init_layers"], backend=self.name
        )
        requires = [first, *get_flow(f"{self.base}:ip").requires, apply]
        self._default_flow = register_flow("ip", None, requires=requires, backend=self.name)
        self._writer_flow = register_flow(
            "write",
            ["make_stamp", f"{self.name.lower()}:write_hls"],
            requires=[self._default_flow],
            backend=self.name,
        )


class XnorVivadoBackend(_XnorBackend, VivadoBackend):  # type: ignore[misc]
    """hls4ml's Vivado backend with XNOR-popcount kernels for binary layers."""

    base = "vivado"

    def __init__(self) -> None:
        super(VivadoBackend, self).__init__("XnorVivado")
        self._register_layer_attributes()
        self._register_flows()


class XnorVitisBackend(_XnorBackend, VitisBackend):  # type: ignore[misc]
    """hls4ml's Vitis backend with XNOR-popcount kernels for binary layers."""

    base = "vitis"

    def __init__(self) -> None:
        super(VivadoBackend, self).__init__("XnorVitis")
        self._register_layer_attributes()
        self._register_flows()


def register(register_backend: Callable[..., None], register_writer: Callable[..., None]) -> None:
    """Make the backends known to hls4ml, which calls this through the entry point ``hls4ml.backends``."""
    register_layers()
    for name, backend, writer in (
        ("XnorVivado", XnorVivadoBackend, XnorVivadoWriter),
        ("XnorVitis", XnorVitisBackend, XnorVitisWriter),
    ):
        # an entry point and HLS4ML_BACKEND_PLUGINS may both name us
        if name.lower() not in get_available_backends():
            register_writer(name, writer)
            register_backend(name, backend)
