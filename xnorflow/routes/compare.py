"""The one comparison with the golden model: scores of every implementation, and where a difference begins."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xnorflow.base.errors import Mismatch
from xnorflow.base.files.plain import Count, Seconds, Share
from xnorflow.net.spec import NetSpec
from xnorflow.sources.data.sets import Split


@dataclass(frozen=True)
class LayerMismatch:
    """Where an implementation first departs from the golden model.

    Attributes:
        layer: name of the first layer that differs.
        what: "sums" or "outputs".
        compared: values of that layer that were compared.
        differing: how many of them differ.
        first: the first of them as (image, value within the layer, expected, got).
        advice: what in the configuration would mend it.
    """

    layer: str
    what: str
    compared: Count
    differing: Count
    first: tuple[tuple[int, int, int, int], ...]
    advice: str


@dataclass(frozen=True)
class SimResult:
    """How one implementation did on the test images, against the golden model.

    Attributes:
        source: which implementation: "Keras", "golden model", "C simulation, library", ...
        images: how many were run.
        accuracy: share of them classified rightly.
        classes_differ: images whose class is not the golden model's.
        scores_differ: images with any score that is not the golden model's.
        seconds: what the run took, without compilation; None where it was not measured.
        mismatch: where the difference begins; None where there is none or it was not sought.
    """

    source: str
    images: Count
    accuracy: Share
    classes_differ: Count
    scores_differ: Count
    seconds: Seconds | None = None
    mismatch: LayerMismatch | None = None

    @property
    def agrees(self) -> bool:
        """Whether every score of every image equals the golden model's."""
        return self.scores_differ == 0 and self.classes_differ == 0


GOLDEN = "golden model"
KERAS = "Keras"
# images looked at layer by layer once some differ, and values shown of the first layer that does
TRACED_IMAGES = 50
SHOWN = 5


class Observed(NamedTuple):
    """What a layer gave in simulation, beside what the golden model gives.

    Attributes:
        layer: its name.
        what: "sums" or "outputs", or whatever else ``LayerMismatch`` names.
        got: an array with a row per image.
        expected: the same number of values per image, in any shape.
    """

    layer: str
    what: str
    got: NDArray[Any]
    expected: NDArray[Any]


def compare_scores(
    source: str,
    scores: NDArray[Any],
    expected: NDArray[np.int64],
    labels: NDArray[np.int64],
    seconds: float | None,
    classes: NDArray[np.int64] | None = None,
) -> SimResult:
    """Compare scores, shape (n, n_classes), with the golden model's; ``classes`` are theirs by default."""
    if classes is None:
        classes = scores.argmax(axis=1)
    return SimResult(
        source,
        len(labels),
        float((classes == labels).mean()),
        int((classes != expected.argmax(axis=1)).sum()),
        int((scores != expected).any(axis=1).sum()),
        seconds,
    )


def differing_images(
    scores: NDArray[Any], expected: NDArray[np.int64], classes: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Return the numbers of the images whose scores or class are not the golden model's."""
    wrong = (scores != expected).any(axis=1)
    if classes is not None:
        wrong |= classes != expected.argmax(axis=1)
    return np.flatnonzero(wrong)


def simulate_golden(spec: NetSpec, split: Split) -> tuple[NDArray[np.int64], SimResult]:
    """Return the golden model's scores on a split, and its row of the table."""
    started = time.monotonic()
    scores = spec.class_scores(split.images)
    return scores, compare_scores(GOLDEN, scores, scores, split.labels, time.monotonic() - started)


def first_mismatch(observed: Iterable[Observed], which: NDArray[np.int64], advice: str) -> LayerMismatch | None:
    """Return the first of the observed values, in the order given, that is not the golden model's.

    Args:
        observed: values of layers, from the first layer on; no more are asked for than are needed.
        which: number of the image in each row.
        advice: what would mend it.
    """
    for layer, what, got, expected in observed:
        if not len(got):
            # a layer that gave no whole image has nothing to compare
            continue
        rows = got.reshape(len(got), -1)
        right = expected.reshape(rows.shape)
        wrong = np.argwhere(rows != right)
        if len(wrong):
            first = tuple((int(which[i]), int(j), int(right[i, j]), int(rows[i, j])) for i, j in wrong[:SHOWN])
            return LayerMismatch(layer, what, rows.size, len(wrong), first, advice)
    return None


def require_equal(result: SimResult) -> None:
    """Check that an implementation agrees with the golden model on every image.

    Raises:
        Mismatch: how many images differ, and the first layer and value that do.
    """
    if result.agrees:
        return
    differ = max(result.scores_differ, result.classes_differ)
    text = f"{result.source}: {differ} of {result.images} images differ from the golden model"
    found = result.mismatch
    if found is not None:
        image, value, expected, got = found.first[0]
        text += (
            f"; first in layer {found.layer}, {found.differing} of {found.compared} {found.what}:"
            f" image {image}, value {value}, expected {expected}, got {got}; to mend it: {found.advice}"
        )
    raise Mismatch(text)
