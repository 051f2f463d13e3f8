"""What a network is taught from, epoch by epoch: warped images and the share of each class.

Warping all images anew for every epoch would take as long as training a small network on them. So
a few warped copies of the training set are made when they are first needed, and the epochs take turns;
shifts cost little and are drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xnorflow.augment import Warp, shift_images, warp_images
from xnorflow.data import Split

COPIES = 10

Floats = NDArray[np.float32]
UInt8Array = NDArray[np.uint8]
Teacher = Callable[[UInt8Array], Floats]


class Lessons:
    """The images and targets of every epoch, the same for the same seed."""

    def __init__(
        self,
        train: Split,
        n_classes: int,
        warp: Warp,
        shift: int,
        seed: int,
        teacher: Teacher | None = None,
        share: float = 0.0,
    ) -> None:
        """Prepare lessons from ``train``.

        Args:
            train: training images and labels.
            n_classes: number of classes.
            warp: how far the images are warped.
            shift: by how many pixels they are shifted at most.
            seed: of warps, shifts and order.
            teacher: gives the probability of each class, shape (n, n_classes), of uint8 images; it sees
                them before the shift.
            share: of the teacher's probabilities in the targets; the rest is the label
                (distillation after Hinton, Vinyals, Dean 2015, arXiv:1503.02531).
        """
        self._train, self._warp, self._shift, self._seed = train, warp, shift, seed
        self._labels = np.eye(n_classes, dtype=np.float32)[train.labels]
        self._teacher, self._share = teacher, np.float32(share)
        self._copies: dict[int, tuple[UInt8Array, Floats]] = {}

    def __len__(self) -> int:
        """Return the number of training images."""
        return len(self._labels)

    def epoch(self, index: int) -> tuple[UInt8Array, Floats]:
        """Return the images and targets (n, n_classes) of epoch ``index``, counted from 0, in its order."""
        copy = index % COPIES
        if copy not in self._copies:
            self._copies[copy] = self._make(copy)
        images, targets = self._copies[copy]
        # a generator per epoch, so that a resumed run sees the images in the same order
        random = np.random.default_rng((self._seed, index))
        order = random.permutation(len(self))
        return shift_images(images[order], self._shift, random), targets[order]

    def _make(self, copy: int) -> tuple[UInt8Array, Floats]:
        images = warp_images(self._train.images, self._warp, np.random.default_rng((self._seed, copy, 1)))
        if self._teacher is None:
            return images, self._labels
        return images, (1 - self._share) * self._labels + self._share * self._teacher(images)
