"""A softmax behind binary scores: tables, types, and what the configuration may choose of it.

hls4ml's own cuts its table of 1 / x to the width of the scores, lets the difference of two scores
overflow, and looks at the highest 10 bits of a score only.
"""

from __future__ import annotations

import math
from typing import Any

from xnorflow.base.errors import ConfigError
from xnorflow.routes.hls.kernels.nodes import probability_type
from xnorflow.routes.hls.kernels.product import is_chosen
from xnorflow.routes.hls.kernels.softmax_tables import PROBABILITY_BITS, STEP_BITS

TABLES = ("table", "exp_table", "inv_table", "inv_inp", "accum")


def replace_softmax(model: Any, node: Any) -> None:
    """Put our softmax in the place of hls4ml's, unless the configuration leaves it out or asks for argmax.

    Args:
        model: the graph.
        node: the softmax; the type of its input holds every score.

    Raises:
        ConfigError: another axis than the last, or settings with which the class would be wrong.
    """
    if node.get_attr("skip", False) or node.get_attr("implementation", "stable") == "argmax":
        return
    shape = list(node.get_input_variable().shape)
    if node.get_attr("axis", -1) not in (-1, len(shape)):
        raise ConfigError(f"layer {node.name}: axis of a softmax must be the last, got {node.get_attr('axis')}")
    _check_settings(model, node)
    scores = node.get_input_variable().type.precision
    precision = _result(model, node, shape[-1])
    fraction_bits = scores.width - scores.integer
    attributes = {
        "n_in": shape[-1],
        "n_vectors": math.prod(shape[:-1]),
        "step_bits": min(fraction_bits, STEP_BITS),
        "coarser": max(fraction_bits - STEP_BITS, 0),
        "probability": precision,
        "trace": node.get_attr("trace", False),
    }
    ours = model.make_node("XnorSoftmax", node.name, attributes, node.inputs.copy(), node.outputs.copy())
    model.replace_node(node, ours)


def _check_settings(model: Any, node: Any) -> None:
    advice = "leave it out: the tables of a softmax behind binary layers are worked out"
    implementation = node.get_attr("implementation", "stable")
    if implementation != "stable":
        raise ConfigError(
            f"layer {node.name}: Implementation must be stable or argmax (1 for the class, 0 for others), "
            f"got {implementation}"
        )
    defaults = {attribute.name: attribute.default for attribute in node.expected_attributes}
    for name in TABLES:
        # a default that config_from_keras_model has written out is no choice
        found, _ = model.config.get_precision(node, name)
        if is_chosen(model, node, name) and str(found) != str(defaults[f"{name}_t"]):
            raise ConfigError(f"layer {node.name}: Precision {name} is {found}; {advice}")
    size = model.config.get_layer_config_value(node, "TableSize", defaults["table_size"])
    if size != defaults["table_size"]:
        raise ConfigError(f"layer {node.name}: TableSize is {size}; {advice}")


def _result(model: Any, node: Any, n_in: int) -> Any:
    """Return the type of the probabilities, the user's own where the configuration names one."""
    if not is_chosen(model, node, "result"):
        return probability_type(PROBABILITY_BITS)
    precision = node.get_output_variable().type.precision
    least = n_in.bit_length()
    if precision.integer - bool(precision.signed) < 1 or precision.width - precision.integer < least:
        raise ConfigError(
            f"layer {node.name}: its type must hold 1 and have {least} fraction bits or more for {n_in} classes, "
            f"such as ufixed<{PROBABILITY_BITS + 1},1>, got {precision}"
        )
    return precision
