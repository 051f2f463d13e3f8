"""What a project with packed words needs beyond what hls4ml writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xnorflow.routes.hls.kernels.nodes import RomVariable, is_ours
from xnorflow.routes.hls.kernels.templates import HEADER

# widest ap_uint without a setting, and with it
DEFAULT_BITS = 1024


class PackedProject:
    """Part of a writer of hls4ml: our header, ROM words, and integers wider than usual."""

    def write_defines(self, model: Any) -> None:
        """Write ``defines.h``, with the header that its packed types come from."""
        super().write_defines(model)  # type: ignore[misc]
        _edit(model, "defines.h", '#include "nnet_utils/nnet_types.h"\n', f'#include "{HEADER}"\n')

    def write_project_header(self, model: Any) -> None:
        """Write the top function's header; it is the first that every source includes."""
        super().write_project_header(model)  # type: ignore[misc]
        widest = max((_widest(node) for node in model.get_layers()), default=0)
        if widest > DEFAULT_BITS:
            name = f"{model.config.get_project_name()}.h"
            guard = f"#define {model.config.get_project_name().upper()}_H_\n"
            _edit(model, name, guard, f"\n#define AP_INT_MAX_W {widest}\n")

    def print_array_to_cpp(
        self, var: Any, odir: str, namespace: str | None = None, write_txt_file: bool = True
    ) -> None:
        """Write the weights of a layer; words of a ROM as hexadecimal numbers."""
        if not isinstance(var, RomVariable):
            super().print_array_to_cpp(var, odir, namespace, write_txt_file)  # type: ignore[misc]
            return
        folder = Path(odir) / "firmware" / "weights"
        values = f"{var.definition_cpp()} = {{{', '.join(var.initialisers())}}};\n"
        if write_txt_file:
            (folder / f"{var.name}.txt").write_text(", ".join(var), encoding="ascii")
            values = f"#ifndef __SYNTHESIS__\n{var.definition_cpp()};\n#else\n{values}#endif\n"
        if namespace is not None:
            values = f"namespace {namespace} {{\n{values}}}\n"
        guard = f"{var.name.upper()}_H_"
        text = (
            f"// {var.data_length} words of {var.width} bits\n#ifndef {guard}\n#define {guard}\n\n{values}\n#endif\n"
        )
        (folder / f"{var.name}.h").write_text(text, encoding="ascii")


def _widest(node: Any) -> int:
    widths: list[int] = [weight.width for weight in node.get_weights() if isinstance(weight, RomVariable)]
    return max([*widths, node.get_attr("n_in", 0), node.get_attr("n_out", 0)]) if is_ours(node) else 0


def _edit(model: Any, name: str, after: str, text: str) -> None:
    """Add text to a file of the project behind a line that hls4ml's own template has."""
    path = Path(model.config.get_output_dir()) / "firmware" / name
    before, line, rest = path.read_text(encoding="utf-8").partition(after)
    if not line:
        raise RuntimeError(f"{path}: hls4ml's template has no line {after!r}; this hls4ml is not 1.3.0")
    path.write_text(before + line + text + rest, encoding="utf-8")
