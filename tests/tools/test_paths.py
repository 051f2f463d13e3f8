"""LUT levels, carry chains, control sets and slices of netlists made by hand."""

import json

import pytest

from xnorflow.base.errors import ReportError
from xnorflow.tools.report import Depth, Slices
from xnorflow.tools.yosys.netlist import Cell, FlatNetlist, read_flat
from xnorflow.tools.yosys.paths import deepest
from xnorflow.tools.yosys.slices import count_slices


def register(name, d, q, ce="1", r="0", kind="FDRE"):
    inputs = {"C": (1,), "CE": (ce,), "D": (d,), {"FDRE": "R", "FDSE": "S", "FDCE": "CLR"}[kind]: (r,)}
    return Cell(name, kind, inputs, {"Q": (q,)})


def lut(name, out, *sources):
    return Cell(name, f"LUT{len(sources)}", {f"I{i}": (bit,) for i, bit in enumerate(sources)}, {"O": (out,)})


def carry(name, ci, s, di, o, co):
    inputs = {"CI": (ci,), "CYINIT": ("0",), "S": s, "DI": di}
    return Cell(name, "CARRY4", inputs, {"O": o, "CO": co})


def netlist(*cells):
    return FlatNetlist(cells, {1: "clk", 2: "in"})


def test_luts_in_a_row_are_levels_and_a_mux_is_none():
    mux = Cell("m", "MUXF7", {"I0": (11,), "I1": (10,), "S": ("0",)}, {"O": (12,)})
    cells = [register("a", 2, 9), lut("x", 10, 9, 2), lut("y", 11, 10), mux, lut("z", 13, 12), register("b", 13, 14)]
    assert deepest(netlist(*cells)) == Depth(3, 0, "a", "z")


def test_a_chain_of_carries_is_one():
    first = carry("c0", "0", (10, 11, 10, 11), ("0",) * 4, (20, 21, 22, 23), (24, 25, 26, 27))
    second = carry("c1", 27, ("0",) * 4, ("0",) * 4, (30, 31, 32, 33), (34, 35, 36, 37))
    cells = [register("a", 2, 9), lut("x", 10, 9), lut("y", 11, 9), first, second, register("b", 33, 40)]
    assert deepest(netlist(*cells)) == Depth(1, 1, "a", "c1")
    # its sum through a LUT into another chain is a second one
    third = carry("c2", "0", (41, "0", "0", "0"), ("0",) * 4, (50, 51, 52, 53), (54, 55, 56, 57))
    found = deepest(netlist(*cells, lut("z", 41, 33), third))
    assert (found.lut_levels, found.carry_chains) == (2, 2)


def test_a_carry_does_not_depend_on_the_places_above_it():
    chain = carry("c", "0", (9, 12, "0", "0"), ("0",) * 4, (20, 21, 22, 23), (24, 25, 26, 27))
    cells = [register("a", 2, 9), lut("x", 10, 9), lut("y", 12, 10), chain, lut("z", 13, 20), register("b", 13, 14)]
    # z is one level behind c's lowest place, not three: the two LUTs enter above
    assert deepest(netlist(*cells)).lut_levels == 2
    assert deepest(netlist(*cells, lut("w", 15, 21))).lut_levels == 3


def test_an_output_of_a_double_lut_depends_on_no_input_that_makes_no_difference():
    # of a column of xnf_add3: O5 is the carry of I0 to I2, O6 their sum with I4
    inputs = {f"I{i}": (bit,) for i, bit in enumerate((9, 2, 2, "0", 11, "1"))}
    double = Cell("d", "LUT6_2", inputs, {"O5": (12,), "O6": (13,)}, f"{0x69699696E8E8E8E8:064b}")
    cells = [register("a", 2, 9), lut("x", 10, 9), lut("y", 11, 10), double]
    for bit, levels in ((12, 4), (13, 6)):
        behind = [lut("u", 14, bit), lut("v", 15, 14), lut("w", 16, 15)]
        assert deepest(netlist(*cells, *behind)).lut_levels == levels


def test_a_sum_of_its_own_place_alone_passes_no_carry():
    chain = carry("c", "0", (9, 10, "0", "0"), ("0",) * 4, (20, 21, 22, 23), (24, 25, 26, 27))
    cells = [register("a", 2, 9), register("b", 2, 10), chain]
    for bit, chains in ((20, 1), (21, 2)):
        behind = carry("d", "0", ("0", bit, "0", "0"), ("0",) * 4, (30, 31, 32, 33), (34, 35, 36, 37))
        assert deepest(netlist(*cells, behind)).carry_chains == chains


def test_reading_a_lut_memory_is_a_level_and_writing_ends_a_path():
    shift = Cell("s", "SRLC32E", {"CLK": (1,), "CE": (12,), "D": (12,), "A": (9, 9, 9, 9, 9)}, {"Q": (13,)})
    memory = Cell("r", "RAM32M", {"ADDRA": (9,) * 5, "ADDRD": (12,) * 5, "DIA": (12, 12)}, {"DOA": (15, 16)})
    cells = [register("a", 2, 9), lut("x", 12, 9), shift, memory, lut("y", 14, 13), lut("z", 17, 15)]
    assert deepest(netlist(*cells)).lut_levels == 2


def test_a_register_cuts_a_path_and_inputs_start_one():
    cells = [lut("x", 10, 2), register("a", 10, 11), lut("y", 12, 11), register("b", 12, 13)]
    assert deepest(netlist(*cells)).lut_levels == 1
    assert deepest(netlist(lut("x", 10, 2))) == Depth(1, 0, "in", "x")
    assert deepest(netlist(register("a", 2, 9))) == Depth(0, 0, "", "")


def test_loops_and_unknown_cells_are_refused():
    with pytest.raises(ReportError, match="loop of logic"):
        deepest(netlist(lut("x", 10, 11), lut("y", 11, 10)))
    with pytest.raises(ReportError, match="URAM288"):
        deepest(netlist(Cell("u", "URAM288", {}, {"DOUT": (9,)})))


def test_registers_share_a_slice_only_within_a_control_set():
    ten = [register(f"a{i}", 2, 100 + i) for i in range(10)]
    reset = [register(f"b{i}", 2, 200 + i, r=2) for i in range(3)]
    # a set at the same net is no other control set, an asynchronous clear is
    preset = [register(f"c{i}", 2, 300 + i, r=2, kind="FDSE") for i in range(3)]
    clear = [register("d", 2, 400, r=2, kind="FDCE")]
    enable = [register("e", 2, 500, ce=2)]
    assert count_slices(netlist(*ten, *reset, *preset, *clear, *enable), 0) == Slices(4, 5, 5, 5)


def test_luts_stand_beside_the_registers_they_feed():
    luts = [lut(f"l{i}", 100 + i, 2) for i in range(8)]
    fed = [register(f"r{i}", 100 + i, 200 + i) for i in range(8)]
    # eight registers fit a slice, but not with the LUTs that feed them
    assert count_slices(netlist(*luts, *fed), 8) == Slices(1, 1, 2, 2)
    # two registers at one LUT with two outputs need one site; four LUTs feed nothing
    double = [Cell(f"d{i}", "LUT6_2", {"I0": (2,)}, {"O5": (300 + i,), "O6": (310 + i,)}) for i in range(4)]
    both = [register(f"q{i}{k}", 300 + i + 10 * k, 400 + i + 10 * k) for i in range(4) for k in range(2)]
    assert count_slices(netlist(*double, *both), 8) == Slices(1, 1, 2, 2)
    assert count_slices(netlist(*double, *both), 4) == Slices(1, 1, 1, 1)


def test_a_carry_takes_the_place_of_the_sum_above_it():
    chains = [carry(f"c{i}", "0", (2, 2, "0", "0"), (2, 2, "0", "0"), (*range(100 + 9 * i, 104 + 9 * i),),
                    (*range(104 + 9 * i, 108 + 9 * i),)) for i in range(2)]  # fmt: skip
    # two sums and the carry above them: three places of four, so two chains need two slices
    places = [place for i in range(2) for place in (100 + 9 * i, 101 + 9 * i, 105 + 9 * i)]
    fed = [register(f"r{bit}", bit, 200 + bit) for bit in places]
    assert count_slices(netlist(*chains, *fed), 0) == Slices(1, 1, 2, 2)
    # the last carry has no place above it: only its register counts
    last = [register(f"r{i}", 107 + 9 * i, 300 + i) for i in range(2)]
    assert count_slices(netlist(*chains[:1], *last[:1]), 8).likely == 3


def test_a_file_of_yosys_is_read(tmp_path):
    cells = {
        "x": {"type": "INV", "port_directions": {"I": "input", "O": "output"}, "connections": {"I": [2], "O": [3]}},
        "l": {
            "type": "LUT1",
            "parameters": {"INIT": "01"},
            "port_directions": {"I0": "input", "O": "output"},
            "connections": {"I0": [2], "O": [4]},
        },
        "s": {"type": "$scopeinfo", "port_directions": {}, "connections": {}},
    }
    ports = {"in": {"direction": "input", "bits": [2]}, "out": {"direction": "output", "bits": [3]}}
    path = tmp_path / "flat.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": cells}}}))
    inverter, table = Cell("x", "INV", {"I": (2,)}, {"O": (3,)}), Cell("l", "LUT1", {"I0": (2,)}, {"O": (4,)}, "01")
    assert read_flat(path, "top") == FlatNetlist((inverter, table), {2: "in"})
    with pytest.raises(ReportError, match="field 'other' is missing"):
        read_flat(path, "other")
