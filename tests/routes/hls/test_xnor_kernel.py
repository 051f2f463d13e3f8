"""The headers of the kernels by themselves: their C++, their compressor, and odd shapes of a layer."""

import re

import numpy as np
import pytest
from kernel_programs import HEADERS, compile_and_run

from xnorflow.net.folding import Folding, reuse_factor_of
from xnorflow.routes.hls.kernels.rom import pack_words
from xnorflow.routes.hls.kernels.values import BIPOLAR, numbers_of

# beyond what Vivado HLS 2019's front end takes (C++0x), with an example of each
TRAPS = {
    r"\bconstexpr\b": "constexpr int f() { return 1; }",
    r"\bauto\b": "auto x = 1;",
    r"\bdecltype\b": "decltype(x) y;",
    r"(?<!operator)\[[&=]?\]\s*\(": "[&](int x) { return x; }",
    r"\bstatic_assert\b": 'static_assert(true, "");',
    r"\busing\s+\w+\s*=": "using t = int;",
    r"\bnullptr\b": "p = nullptr;",
    r"\bstd::(array|tuple|enable_if|function)\b": "std::array<int, 3> a;",
    r"\bif\s+constexpr\b": "if constexpr (N > 1)",
    r"\d'\d": "1'000",
    r"\b0b[01]": "0b101",
    r"<[^;()<>]*<[^;()<>]*>>": "hls::stream<packed<4, 1>> s;",
    r"_Pragma": '_Pragma("HLS INLINE")',
    r"\bnew\b|\bmalloc\b": "new int[3]",
    r"\bthrow\b|\btry\b": "throw 1;",
    r"\b(float|double)\b": "double x;",
    r"for\s*\([^;)]*:[^:]": "for (int x : xs)",
}


def code():
    """The headers without comments."""
    assert len(HEADERS) > 4
    return "".join(re.sub(r"//.*", "", header.read_text(encoding="utf-8")) for header in HEADERS)


@pytest.mark.parametrize("trap", TRAPS, ids=TRAPS.values())
def test_no_construct_that_vivado_hls_refuses(trap):
    assert re.search(trap, TRAPS[trap]), "the rule does not see its own example"
    assert not re.search(trap, code())


def test_every_loop_says_how_it_is_built():
    """A loop is unrolled, runs at one turn per cycle, or has a label and holds loops that do."""
    hardware = re.sub(r"#if defined\(__SYNTHESIS__\).*?\n(.*?)#else.*?#endif", r"\1", code(), flags=re.DOTALL)
    lines = hardware.splitlines()
    loops = [at for at, line in enumerate(lines) if line.strip().startswith("for (")]
    assert len(loops) > 30
    for at in loops:
        labelled = re.fullmatch(r"\s*[A-Z]\w+:", lines[at - 1])
        simulated_only = "values[i] =" in lines[at + 1] or "__builtin_popcountll" in lines[at + 1]
        assert labelled or "UNROLL" in lines[at + 1] or "PIPELINE II=1" in lines[at + 1] or simulated_only, lines[at]


# (n_in, words, n_out, pe, simd, what it reads, whether sums leave)
CASES = [
    (1, 1, 1, 1, 1, BIPOLAR, False),
    (7, 1, 3, 3, 1, BIPOLAR, False),
    (13, 1, 6, 2, 13, BIPOLAR, False),
    (12, 4, 10, 5, 2, BIPOLAR, True),
    (130, 1, 4, 1, 65, BIPOLAR, False),
    (200, 2, 6, 3, 200, BIPOLAR, True),
    (9, 3, 4, 2, 3, numbers_of(8, 8, signed=False), False),
    (9, 1, 4, 4, 9, numbers_of(8, 8, signed=False), True),
    (70, 1, 2, 1, 70, numbers_of(3, 3, signed=True), False),
]
IMAGES = 5


def literal(words, width):
    size = -(-width // 64)
    return [[word >> 64 * limb & (2**64 - 1) for limb in range(size)] for word in words]


def case_source(index, case):
    """C++ that runs one layer on random inputs, and the numbers it must print."""
    n_in, n_words, n_out, pe, simd, values, sums = case
    random, folding = np.random.default_rng(index), Folding(pe, simd)
    weights = random.choice(np.array([-1, 1], np.int8), (n_in, n_out))
    u = random.integers(0, values.largest_u + 1, (IMAGES, n_in))
    products = (values.lowest + values.step * u) @ weights.astype(np.int64)
    thresholds = np.median(products, axis=0).astype(np.int64)
    starts = values.constants(weights) if sums else values.start_values(weights, thresholds)
    bits = 24 if sums else values.accumulator(n_in).bits
    word = f"nnet::array<ap_int<{bits}>, {n_out}>" if sums else f"nnet::packed<{n_out}, 1>"
    chan, factor, shift = n_in // n_words, reuse_factor_of(n_in, n_out, folding), values.step.bit_length() - 1
    numbers = f"n_in = {n_in}, n_out = {n_out}, n_chan = {chan}, n_words = {n_words}, n_vectors = 1, planes = "
    numbers += f"{values.planes}, pe = {pe}, simd = {simd}, reuse_factor = {factor}, shift = {shift if sums else 0}"
    limbs = literal(pack_words(weights, folding), simd)
    table = ", ".join("{" + ", ".join(f"{limb}ULL" for limb in row) + "}" for row in limbs)
    inputs = ", ".join(map(str, u.ravel()))
    result = "long(result[j])" if sums else "long(result[0].plane[0][j])"
    kind = f"ap_int<{bits}> result[{n_out}]" if sums else f"{word} result[1]"
    text = f"""
struct config{index} : nnet::xnor_config {{
    static const unsigned {numbers};
    typedef ap_uint<{simd}> weight_t; typedef ap_int<{bits}> accum_t; typedef {word} word_t;
}};
static void run{index}() {{
    static const unsigned long long table[][{len(limbs[0])}] = {{{table}}};
    static const unsigned inputs[] = {{{inputs}}};
    static const long first[] = {{{", ".join(map(str, starts))}}};
    static ap_uint<{simd}> weights[{factor * pe}]; static ap_int<{bits}> starts[{n_out}];
    for (int i = 0; i < {factor * pe}; i++) for (int b = 0; b < {simd}; b++)
        weights[i][b] = table[i][b / 64] >> b % 64 & 1;
    for (int j = 0; j < {n_out}; j++) starts[j] = first[j];
    for (int image = 0; image < {IMAGES}; image++) {{
        nnet::packed<{chan}, {values.planes}> data[{n_words}]; {kind};
        for (int i = 0; i < {n_in}; i++) for (int b = 0; b < {values.planes}; b++)
            data[i / {chan}].plane[b][i % {chan}] = inputs[image * {n_in} + i] >> b & 1;
        nnet::xnor_dense<nnet::packed<{chan}, {values.planes}>, {kind.split(" result")[0]}, config{index}>(
            data, result, weights, starts);
        for (int j = 0; j < {n_out}; j++) std::cout << {result} << " ";
    }}
}}
"""
    return text, products.ravel() if sums else (products >= thresholds).astype(int).ravel()


@pytest.mark.parametrize("flags", [(), ("-DNNET_XNOR_TREE",)], ids=["fast simulation", "compressor tree"])
def test_odd_shapes_are_exact_as_hardware_and_as_fast_simulation(tmp_path, flags):
    sources, expected = zip(*(case_source(index, case) for index, case in enumerate(CASES)), strict=True)
    main = "\n".join(f"    run{index}();" for index in range(len(CASES)))
    trace = (
        "namespace nnet { bool trace_enabled; std::map<std::string, void *> *trace_outputs; size_t trace_type_size; }"
    )
    source = '#include "nnet_xnor.h"\n' + trace + "".join(sources) + f"int main() {{\n{main}\n}}\n"
    got = compile_and_run(tmp_path, source, *flags)
    assert [int(value) for value in got] == [int(value) for part in expected for value in part]
