"""Write ``xnorflow/fitting/costs/hls_operators.yaml`` from tables of operators counted over real HLS reports.

    python benchmarks/operator_costs.py FOLDER

``FOLDER`` holds ``hls_operator_costs.csv`` (columns version, family, op, width, lut_values) and
``hls_mux_costs.csv`` (version, inputs, bits, lut_mode, n).
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path

TOOLS = {"Vivado": ("2019.1", "2019.2", "2020.1"), "Vitis": ("2021.1", "2024.2.2", "2025.1")}
OPERATORS = {
    "+": "add",
    "-": "subtract",
    "icmp": "compare",
    "select": "select",
    "xor": "xor",
    "lshr": "shift",
}
TARGET = Path(__file__).parents[1] / "xnorflow/fitting/costs/hls_operators.yaml"
HEAD = """# LUTs that Vivado HLS and Vitis HLS charge per operator on 7-series devices.
# Source: operators counted in 269,046 rows of public HLS reports of many designs, tool versions below.
# operator: {width in bits (mux: inputs): [least seen, most often seen, most seen]}
# Written by benchmarks/operator_costs.py.
"""


def operator_table(folder: Path, versions: tuple[str, ...]) -> dict[str, dict[int, Counter[int]]]:
    """Return how often each LUT count was seen, per operator and width."""
    table: dict[str, dict[int, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for row in _rows(folder / "hls_operator_costs.csv"):
        if row["version"] in versions and row["family"] == "7series" and row["op"] in OPERATORS:
            for entry in row["lut_values"].split():
                lut, seen = entry.split("x")
                table[OPERATORS[row["op"]]][int(row["width"])][int(lut)] += int(seen)
    for row in _rows(folder / "hls_mux_costs.csv"):
        if row["version"] in versions:
            table["mux"][int(row["inputs"])][int(row["lut_mode"])] += int(row["n"])
    return table


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def main(folder: Path) -> None:
    """Write the data file."""
    lines = [HEAD.rstrip()]
    for tool, versions in TOOLS.items():
        lines += [f"{tool}:", f"  versions: [{', '.join(repr(version) for version in versions)}]"]
        for operator, widths in sorted(operator_table(folder, versions).items()):
            lines.append(f"  {operator}:")
            for width, seen in sorted(widths.items()):
                often = max(seen, key=lambda lut: (seen[lut], -lut))
                lines.append(f"    {width}: [{min(seen)}, {often}, {max(seen)}]")
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
