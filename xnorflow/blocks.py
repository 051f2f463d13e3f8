"""What a user's network file builds its network of: ``from xnorflow.blocks import add_dense, add_scores, start``."""

from xnorflow.sources.keras.blocks import (
    add_conv,
    add_dense,
    add_flatten,
    add_scores,
    start,
    with_learned_thresholds,
)

__all__ = ["add_conv", "add_dense", "add_flatten", "add_scores", "start", "with_learned_thresholds"]
