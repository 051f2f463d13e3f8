"""NetSpec: a binary network as hardware sees it, and the golden model every route must equal.

Nothing here needs TensorFlow. All arithmetic is integer arithmetic, so equal means equal.

* Input: images of ``uint8`` pixels, each read as bits (+1 where it is at least a threshold, else -1)
  or as its value: see ``net/inputs.py``.
* Hidden layer: the integer sum of (input x bipolar weight); the output is +1 where
  ``sum >= threshold``, else -1. A convolution may be followed by max-pooling, which on bipolar
  values is OR.
* Last layer: one integer score per class. The class is the largest score, ties to the lowest index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xnorflow.base.arrays import Integers
from xnorflow.net.golden import Evaluator, LayerTrace
from xnorflow.net.inputs import Images, InputSpec
from xnorflow.net.layers import HiddenSpec, LayerSpec, ScoreSpec
from xnorflow.net.names import check_differ, check_name

# what a file may hold: hundreds of times what fits the parts that networks here are for
MOST_WEIGHTS = 64_000_000


@dataclass(frozen=True, eq=False)
class NetSpec:
    """A binary network: input, hidden layers, scores. Frozen and checked when made.

    Raises:
        ConfigError: layers whose shapes do not follow from one another, or names that are not allowed (net/names.py).
    """

    name: str
    input: InputSpec
    hidden: tuple[HiddenSpec, ...]
    scores: ScoreSpec

    def __post_init__(self) -> None:
        check_name("network", self.name)
        check_differ([layer.name for layer in self.layers])
        for layer, shape in self.walk():
            layer.output_shape(shape)

    @property
    def layers(self) -> tuple[LayerSpec, ...]:
        """Hidden layers and the score layer, in order."""
        return (*self.hidden, self.scores)

    @property
    def n_classes(self) -> int:
        """Classes."""
        return self.scores.n_out

    def walk(self) -> Iterator[tuple[LayerSpec, tuple[int, ...]]]:
        """Yield every layer with the shape of one image at its input."""
        shape = self.input.shape
        for layer in self.layers:
            yield layer, shape
            shape = layer.output_shape(shape)

    def max_abs_sum(self, layer: LayerSpec) -> int:
        """Largest magnitude that a sum of ``layer`` can reach, for any input."""
        return layer.n_in * (self.input.max_abs if layer is self.layers[0] else 1)

    def class_scores(self, images: Images) -> Integers:
        """Return the integer scores, shape (n, n_classes), of uint8 images."""
        return Evaluator(self.input, self.hidden, self.scores).scores(images)

    def predict(self, images: Images) -> Integers:
        """Return the class of every image, shape (n,): the largest score, ties to the lowest index."""
        classes: Integers = self.class_scores(images).argmax(axis=1)
        return classes

    def trace(self, images: Images) -> dict[str, LayerTrace]:
        """Return the sums and the output of every layer, by layer name."""
        return Evaluator(self.input, self.hidden, self.scores).trace(images)
