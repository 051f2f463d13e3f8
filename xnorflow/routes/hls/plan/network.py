"""What each layer of an HLS project will be, worked out once: folding, types and cycles."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from xnorflow.net.folding import Folding
from xnorflow.net.layers import LayerSpec
from xnorflow.net.spec import NetSpec
from xnorflow.routes.hls.plan.cycles import layer_cycles
from xnorflow.routes.hls.plan.fold import check_reuse_factors, layer_folding, layer_reuse_factor
from xnorflow.routes.hls.plan.types import LayerTypes, solve_types, types_of
from xnorflow.routes.hls.settings import XNOR, HlsSettings


@dataclass(frozen=True, eq=False)
class HlsLayerPlan:
    """One layer of an HLS project.

    Attributes:
        spec: the layer.
        shape: of one image at its input.
        strategy: hls4ml's.
        folding: neurons and inputs per cycle of our kernel; None with hls4ml's own.
        reuse_factor: cycles for one product of the weight matrix.
        types: types of the sums that the project uses.
        needed: the narrowest types with hls4ml's own kernels that no input overflows.
        cycles: cycles per image, by formula.
    """

    spec: LayerSpec
    shape: tuple[int, ...]
    strategy: str
    folding: Folding | None
    reuse_factor: int
    types: LayerTypes
    needed: LayerTypes
    cycles: int

    @property
    def kernel(self) -> str:
        """What computes it, in words."""
        return f"hls4ml {self.strategy}" if self.folding is None else f"XNOR {self.folding.pe} x {self.folding.simd}"


@dataclass(frozen=True, eq=False)
class HlsPlan:
    """An HLS project before it is written.

    Attributes:
        spec: the network.
        settings: how the project is made.
        layers: in the order of the network's.
    """

    spec: NetSpec
    settings: HlsSettings
    layers: tuple[HlsLayerPlan, ...]

    @property
    def packed(self) -> bool:
        """Whether our kernels compute it."""
        return self.settings.kernel == XNOR

    @property
    def interval_cycles(self) -> int:
        """Cycles between two images, by formula: those of the slowest layer, as layers work at once."""
        return max(layer.cycles for layer in self.layers)

    def images_per_s(self, clock_mhz: float) -> float:
        """Images per second at a clock, if the design reaches it."""
        return clock_mhz * 1e6 / self.interval_cycles

    def narrower_than_needed(self) -> list[str]:
        """Return a sentence for each type of ``precision`` that some input can overflow."""
        found = []
        for layer in self.layers if not self.packed else ():
            for name in ("accum", "result"):
                need, have = getattr(layer.needed, name), getattr(layer.types, name)
                if have.lowest > need.lowest or have.highest < need.highest:
                    found.append(
                        f"precision.{layer.spec.name}.{name} is {have.cpp}, but the layer needs {need.cpp}; "
                        "remove it from the configuration"
                    )
        return found

    def renamed(self, names: Mapping[str, str]) -> HlsPlan:
        """Return the same plan with other names of layers."""
        hidden = tuple(dataclasses.replace(layer, name=names[layer.name]) for layer in self.spec.hidden)
        scores = dataclasses.replace(self.spec.scores, name=names[self.spec.scores.name])
        spec = dataclasses.replace(self.spec, hidden=hidden, scores=scores)
        layers = [dataclasses.replace(layer, spec=own) for layer, own in zip(self.layers, spec.layers, strict=True)]
        return HlsPlan(spec, self.settings, tuple(layers))


def plan_project(spec: NetSpec, settings: HlsSettings) -> HlsPlan:
    """Return the plan of a network's HLS project.

    Raises:
        ConfigError: settings for a layer that the network does not have, or a reuse factor or folding that no kernel
            has, with the legal ones next to it.
    """
    settings.check_layers(spec)
    check_reuse_factors(spec, settings)
    layers = []
    for layer, shape in spec.walk():
        factor = layer_reuse_factor(layer, settings)
        layers.append(
            HlsLayerPlan(
                layer,
                shape,
                settings.strategy_of(layer.name),
                layer_folding(layer, settings) if settings.kernel == XNOR else None,
                factor,
                types_of(spec, layer, settings),
                solve_types(spec, layer),
                layer_cycles(layer, shape, settings, factor),
            )
        )
    return HlsPlan(spec, settings, tuple(layers))
