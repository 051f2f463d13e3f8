"""What a network is trained on, epoch by epoch: warped and shifted images, with their labels.

Warping all images anew for every epoch would take longer than training a small network on them. So
a few warped copies of the training set are made when they are first needed, and the epochs take turns;
shifts cost little and are drawn anew.
"""

from __future__ import annotations

import numpy as np

from xnorflow.base.arrays import Float32Array, UInt8Array
from xnorflow.sources.data.sets import Split
from xnorflow.sources.training.augment import Warp, shift_images, warp_images

COPIES = 10


class TrainingSet:
    """The images and targets of every epoch, the same for the same seed."""

    def __init__(self, train: Split, n_classes: int, warp: Warp, shift: int, seed: int) -> None:
        """Prepare the epochs of ``train``.

        Args:
            train: training images and labels.
            n_classes: number of classes.
            warp: how far the images are warped.
            shift: by how many pixels they are shifted at most.
            seed: of warps, shifts and order.
        """
        self._train, self._warp, self._shift, self._seed = train, warp, shift, seed
        self._targets = np.eye(n_classes, dtype=np.float32)[train.labels]
        self._copies: dict[int, UInt8Array] = {}

    def __len__(self) -> int:
        """Return the number of training images."""
        return len(self._targets)

    def epoch(self, index: int) -> tuple[UInt8Array, Float32Array]:
        """Return the images and one-hot targets (n, n_classes) of epoch ``index``, from 0, in its order."""
        copy = index % COPIES
        if copy not in self._copies:
            random = np.random.default_rng((self._seed, copy, 1))
            self._copies[copy] = warp_images(self._train.images, self._warp, random)
        # a generator per epoch, so that a resumed run sees the images in the same order
        random = np.random.default_rng((self._seed, index))
        order = random.permutation(len(self))
        return shift_images(self._copies[copy][order], self._shift, random), self._targets[order]
