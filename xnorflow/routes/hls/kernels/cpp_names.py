"""Names of layers as names in C++."""

from __future__ import annotations

import re
from typing import Any

from xnorflow.routes.hls.kernels.nodes import named_types

# keywords of C++17, and namespaces that a parameter would hide
WORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const constexpr
const_cast continue decltype default delete do double dynamic_cast else enum explicit export extern false
float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq
private protected public register reinterpret_cast return short signed sizeof static static_assert static_cast
struct switch template this thread_local throw true try typedef typeid typename union unsigned using virtual
void volatile wchar_t while xor xor_eq nnet std hls
"""
_TAKEN = frozenset(WORDS.split())


def name_for_cpp(model: Any) -> None:
    """Give the network's inputs, and the types that hls4ml names after layers, names that C++ takes."""
    for node in model.graph.values():
        if node.class_name == "Input":
            variable = node.get_output_variable()
            variable.name = _cpp_name(variable.name)
        for kind in named_types(node):
            kind.name = re.sub(r"\W", "_", kind.name, flags=re.ASCII)


def _cpp_name(name: str) -> str:
    """Return a name as it is where C++ takes it, else the nearest that it takes."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    own = re.fullmatch(r"layer\d+_(out|t)|[a-z]+\d+|\w+_t|config\d+", plain)
    return f"{plain}_" if plain in _TAKEN or own or plain[0].isdigit() else plain
