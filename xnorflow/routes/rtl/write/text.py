"""Verilog as text: instances with their parameters and ports, unused signals, wires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WIDTH = 110
CLOCK = {"clk": "clk", "rst": "rst"}
CLOCK_PORTS = (
    ("input  wire clk", "rising edge"),
    ("input  wire rst", "synchronous, active high; one cycle is enough"),
)
OFFERED, TAKEN = "a word is offered; it stays until taken", "the word is taken in this cycle if"
# before a module that synthesis shall leave whole, to be counted by itself or not to be taken apart
KEEP = "(* keep_hierarchy *)"


def framed(lines: Sequence[str]) -> str:
    """Return a file: the licence, and a module in which no net is declared by being used."""
    head = ["// SPDX-License-Identifier: MIT", "`default_nettype none"]
    return "\n".join([*head, *lines, "`default_nettype wire"]) + "\n"


def ports(*described: tuple[str, str]) -> list[str]:
    """Return the lines of ports, each a declaration and what it means."""
    last = len(described) - 1
    return [f"    {port}{',' if i < last else ''}  // {what}" for i, (port, what) in enumerate(described)]


def instance(module: str, name: str, parameters: Mapping[str, object], ports: Mapping[str, str]) -> list[str]:
    """Return the lines of an instance, wrapped."""
    values = f" #({_list(parameters)})" if parameters else ""
    lines = [f"    {module}{values} {name} (", *wrapped([f".{port}({net})" for port, net in ports.items()])]
    return [*lines[:-1], f"{lines[-1]});"]


def wrapped(items: Sequence[str]) -> list[str]:
    """Return a list with commas as indented lines."""
    lines, line = [], "        "
    for item in items:
        if len(line) + len(item) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = "        "
        line += f"{item}, "
    return [*lines, line.rstrip().rstrip(",")]


def _list(parameters: Mapping[str, object]) -> str:
    return ", ".join(f".{name}({value})" for name, value in parameters.items())


def stream(side: str, prefix: str, data: str | None = None) -> dict[str, str]:
    """Return the ports ``<side>_valid``, ``_ready`` and ``_data`` on the nets of ``prefix``."""
    ports = {f"{side}_{end}": f"{prefix}_{end}" for end in ("valid", "ready")}
    return ports | {f"{side}_data": data or f"{prefix}_data"}


def wire(name: str, width: int) -> str:
    """Return a wire's declaration."""
    return f"    wire [{width - 1}:0] {name};"


def stream_wires(prefix: str, width: int) -> list[str]:
    """Return the declarations of a stream's three nets."""
    return [f"    wire {prefix}_valid, {prefix}_ready;", wire(f"{prefix}_data", width)]


def joined(target: str, source: str) -> list[str]:
    """Return the assignments that make two streams one."""
    return [
        f"    assign {target}_data = {source}_data;",
        f"    assign {target}_valid = {source}_valid;",
        f"    assign {source}_ready = {target}_ready;",
    ]


def unused(name: str, *nets: str) -> list[str]:
    """Return what tells the lint that these nets are left alone on purpose."""
    return [
        "    /* verilator lint_off UNUSEDSIGNAL */",
        f"    wire {name} = &{{1'b0, {', '.join(nets)}}};",
        "    /* verilator lint_on UNUSEDSIGNAL */",
    ]


def literal(value: int, width: int) -> str:
    """Return ``value`` as a literal of ``width`` bits, negative ones in two's complement."""
    return f"{width}'h{value % (1 << width):0{-(-width // 4)}x}"
