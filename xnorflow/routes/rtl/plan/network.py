"""A folded network: its layers, its streams, and the cycles between images and through it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from xnorflow.net.spec import NetSpec
from xnorflow.routes.rtl.plan.layer import LayerPlan
from xnorflow.routes.rtl.plan.timing import result_cycles

# images until those of a convolution follow at one pace: its lines are full after one or two
SETTLED = 6


@dataclass(frozen=True)
class NetPlan:
    """A whole network's sizes.

    Attributes:
        spec: the network.
        beat_bits: bits of ``s_axis_tdata``.
        layers: the plan of each layer.
    """

    spec: NetSpec
    beat_bits: int
    layers: tuple[LayerPlan, ...]

    @property
    def values_per_beat(self) -> int:
        """Input values in one beat."""
        return self.beat_bits // self.spec.input.bits

    @property
    def beats(self) -> int:
        """Beats per image."""
        return -(-self.spec.input.size // self.values_per_beat)

    @cached_property
    def interval_cycles(self) -> int:
        """Cycles between two images when neither side waits.

        All layers work at once, so it is the most that the words coming in or any layer takes; where
        the lines of convolutions make the layers wait for one another it may be more, and is what
        their modules' recurrences come to.
        """
        if any(layer.window for layer in self.layers):
            shown = result_cycles(self.layers, SETTLED)
            return shown[-1] - shown[-2]
        return max(self.beats, *(layer.cycles for layer in self.layers))

    @cached_property
    def latency_cycles(self) -> int:
        """Cycles from the first beat taken to the result shown, in an idle network."""
        return result_cycles(self.layers)[0]
