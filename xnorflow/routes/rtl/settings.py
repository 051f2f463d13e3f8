"""Settings of the Verilog route: how each layer is folded, and what its memories and counters may take."""

from __future__ import annotations

from dataclasses import dataclass, field

from xnorflow.base.checks import check_layer_names, check_named_by_text, got, whole
from xnorflow.base.errors import ConfigError
from xnorflow.net.folding import Folding
from xnorflow.net.spec import NetSpec

# least and most: above what any device has and any counter needs
_WHOLE = {"bram36": (0, 10_000), "registers_every": (1, 1000)}


@dataclass(frozen=True)
class RtlSettings:
    """How Verilog is made of a network.

    Attributes:
        folding: neurons and inputs per cycle of each layer; empty where they are to be chosen.
        bram36: block RAMs that weights may take; the rest goes into LUTs.
        registers_every: counter stages between two registers; 1 is the fastest clock, more takes fewer registers.
    """

    folding: dict[str, Folding] = field(default_factory=dict)
    bram36: int = 60
    registers_every: int = 1

    def __post_init__(self) -> None:
        check_named_by_text("folding", self.folding)
        for name, (least, most) in _WHOLE.items():
            value = getattr(self, name)
            if not whole(value) or not least <= value <= most:
                raise ConfigError(f"{name} must be a whole number >= {least} and at most {most:,}, got {got(value)}")

    def check_layers(self, spec: NetSpec) -> None:
        """Refuse foldings of a layer that the network does not have, or of more than a layer has.

        Raises:
            ConfigError: naming the layer and what it may be.
        """
        check_layer_names("folding", self.folding, spec.name, [layer.name for layer in spec.layers])
        for layer in spec.layers:
            if layer.name in self.folding:
                self.folding[layer.name].check(layer.name, layer.n_in, layer.n_out)
