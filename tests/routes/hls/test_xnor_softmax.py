"""A softmax behind binary scores: the class of every image, and probabilities near Keras'."""

import importlib.util

import numpy as np
import pytest

from xnorflow.base.errors import ConfigError

# looked for and not imported, as base/keras_stack.py must be the first
for package in ("hls4ml", "qkeras"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}", allow_module_level=True)

from hls4ml_nets import binary_dense, classes_of, convert, model_of, norm, sign  # noqa: E402
from kernel_programs import compile_and_run  # noqa: E402

from xnorflow.base.keras_stack import import_keras, import_qkeras  # noqa: E402
from xnorflow.routes.hls.kernels.softmax_tables import STEP_BITS, exponentials, inverses, softmax_numbers  # noqa: E402

# classes, bits of a score, how many of them behind the point, fraction bits of a probability, whether it is a stream
CASES = [
    (4, 6, 0, 16, False),
    (2, 3, 0, 16, True),
    (10, 11, 0, 16, False),
    (10, 14, 0, 10, True),
    (3, 4, 0, 2, False),
    (10, 33, 20, 16, False),
    (5, 26, 20, 10, True),
    (100, 30, 22, 16, False),
    (1, 5, 0, 16, False),
    (1000, 9, 2, 20, False),
]
IMAGES = 60
# from rounding a difference of scores, 1 / x, and a probability's last bit
WRONG = 2.0 ** -(STEP_BITS + 1) + 2.0**-10


def scores_of(index, n, bits):
    """Scores in units: spread wide, close together, and some equal to the largest."""
    random = np.random.default_rng(index)
    top = 2 ** (bits - 1) - 1
    wide = random.integers(-top - 1, top + 1, (IMAGES // 3, n))
    near = random.integers(-top, top, (IMAGES // 3, 1)) + random.integers(0, 2, (IMAGES // 3, n))
    ends = random.choice([-top - 1, top, top - 1], (IMAGES // 3, n))
    return np.concatenate([wide, near, ends])


def case_source(index, case):
    n, bits, fraction, probability, stream = case
    step_bits, coarser = min(fraction, STEP_BITS), max(fraction - STEP_BITS, 0)
    numbers = softmax_numbers(n, step_bits, probability)
    tables = {
        "exponential": exponentials(numbers["exp_size"], step_bits, numbers["exp_bits"]),
        "inverse": inverses(numbers["inverse_size"], numbers["inverse_bits"]),
    }
    sizes = ", ".join(f"{name} = {value}" for name, value in (numbers | {"coarser": coarser}).items())
    kinds = {
        "exponential": f"ap_uint<{numbers['exp_bits'] + 1}>",
        "inverse": f"ap_uint<{numbers['inverse_bits'] + 1}>",
    }
    score, share = f"ap_fixed<{bits}, {bits - fraction}>", f"ap_ufixed<{probability + 1}, 1>"
    if stream:
        vector, result = f"nnet::array<{score}, {n}>", f"nnet::array<{share}, {n}>"
        call = f"""hls::stream<{vector}> in; hls::stream<{result}> out; {vector} data; {result} res;
        for (int j = 0; j < {n}; j++) data[j].range({bits - 1}, 0) = scores[image * {n} + j];
        in.write(data); nnet::xnor_softmax<{vector}, {result}, config{index}>(in, out, exponential, inverse);
        res = out.read();"""
    else:
        call = f"""{score} data[{n}]; {share} res[{n}];
        for (int j = 0; j < {n}; j++) data[j].range({bits - 1}, 0) = scores[image * {n} + j];
        nnet::xnor_softmax<{score}, {share}, config{index}>(data, res, exponential, inverse);"""
    scores = scores_of(index, n, bits)
    fill = "".join(
        f"    static const unsigned {name}_of[] = {{{', '.join(map(str, table))}}};\n"
        f"    static {kinds[name]} {name}[{len(table)}];\n"
        f"    for (int i = 0; i < {len(table)}; i++) {name}[i] = {name}_of[i];\n"
        for name, table in tables.items()
    )
    source = f"""
struct config{index} : nnet::xnor_softmax_config {{
    static const unsigned {sizes};
    typedef {kinds["exponential"]} exp_t; typedef {kinds["inverse"]} inverse_t;
}};
static void run{index}() {{
    static const long long scores[] = {{{", ".join(map(str, scores.ravel()))}}};
{fill}    for (int image = 0; image < {len(scores)}; image++) {{
        {call}
        for (int j = 0; j < {n}; j++) std::cout << res[j].range({probability}, 0).to_uint64() << " ";
    }}
}}
"""
    return source, scores


def test_the_largest_probability_is_the_class_of_the_scores(tmp_path):
    sources, scores = zip(*(case_source(index, case) for index, case in enumerate(CASES)), strict=True)
    main = "\n".join(f"    run{index}();" for index in range(len(CASES)))
    trace = (
        "namespace nnet { bool trace_enabled; std::map<std::string, void *> *trace_outputs; size_t trace_type_size; }"
    )
    source = '#include "nnet_xnor.h"\n' + trace + "".join(sources) + f"int main() {{\n{main}\n}}\n"
    printed = iter(compile_and_run(tmp_path, source))
    for (_, _, fraction, bits, _), units in zip(CASES, scores, strict=True):
        shares = np.array([int(next(printed)) for _ in range(units.size)]).reshape(units.shape)
        assert np.array_equal(shares.argmax(axis=1), units.argmax(axis=1))
        # whoever is as high as the class is as probable, and nobody else
        assert np.array_equal(shares == shares.max(axis=1, keepdims=True), units == units.max(axis=1, keepdims=True))
        below = (units - units.max(axis=1, keepdims=True)) * 2.0**-fraction
        expected = np.exp(below) / np.exp(below).sum(axis=1, keepdims=True)
        assert np.abs(shares * 2.0**-bits - expected).max() < WRONG + 2.0**-bits
    assert next(printed, None) is None


def softmax(**settings):
    return import_keras().layers.Softmax(name="soft", **settings)


def heads():
    """Heads on one input, each with its scores: a softmax behind 2 to 200 inputs, or what must be exact."""
    keras, qkeras = import_keras(), import_qkeras()
    source = keras.Input((8, 8, 2), name="inp")
    flat = keras.layers.Flatten()(source)
    scores = []
    for index, (n_in, classes, kind) in enumerate(
        [(2, 3, ""), (16, 4, ""), (200, 10, ""), (16, 10, "each"), (8, 5, "all")]
    ):
        bits = sign(f"s{index}")(norm(f"b{index}")(binary_dense(n_in, f"d{index}")(flat)))
        sums = binary_dense(classes, f"out{index}")(bits)
        if kind == "each":
            sums = norm(f"n{index}")(sums)
        elif kind == "all":
            sums = keras.layers.Flatten()(norm(f"n{index}")(keras.layers.Reshape((classes, 1))(sums)))
        scores.append(sums)

    def conv(name, n, size, **settings):
        quantizer = qkeras.binary(alpha=1)
        return qkeras.QConv2D(n, size, use_bias=False, kernel_quantizer=quantizer, name=name, **settings)

    # sums of a pooled convolution, and a softmax for each pixel
    scores.append(keras.layers.Flatten()(keras.layers.MaxPooling2D(2)(conv("c1", 5, 3)(source))))
    scores.append(conv("c2", 4, 1)(source))
    pooled = keras.layers.MaxPooling2D(3)(conv("c3", 4, 3, activation=qkeras.binary())(source))
    exact = [
        binary_dense(6, "relu", activation="relu")(flat),
        binary_dense(3, "o1")(binary_dense(7, "own", activation="binary")(flat)),
        binary_dense(3, "o2")(keras.layers.Flatten()(pooled)),
    ]
    outputs = [keras.layers.Activation("softmax", name=f"soft{index}")(sums) for index, sums in enumerate(scores)]
    return keras.Model(source, [*outputs, *exact]), keras.Model(source, scores)


def set_norms(model):
    random = np.random.default_rng(3)
    for layer in model.layers:
        if hasattr(layer, "moving_mean"):
            n = int(layer.moving_mean.shape[0])
            scale = random.choice([-0.3, 0.05, 0.11], n) if n > 1 else np.array([0.21])
            layer.set_weights([scale, random.normal(size=n), random.integers(-2, 3, n), random.uniform(0.5, 2, n)])


def test_every_width_of_a_last_layer_gives_the_class_of_keras(hls4ml, tmp_path):
    model, scores = heads()
    set_norms(model)
    # 16 bits for all, which many of the sums overflow: types are worked out
    settings = {"Model": {"Precision": "fixed<16,6>", "ReuseFactor": 1}}
    graph = hls4ml.converters.convert_from_keras_model(
        model, hls_config=settings, backend="XnorVivado", output_dir=str(tmp_path)
    )
    assert list(classes_of(graph).values()).count("XnorSoftmax") == 7
    graph.compile()
    images = np.random.default_rng(1).choice(np.array([-1, 1], np.float32), (300, 8, 8, 2))
    sums = scores.predict(images, verbose=0)
    wanted = model.predict(images, verbose=0)
    found = [got.reshape(expected.shape) for got, expected in zip(graph.predict(images), wanted, strict=True)]
    for got, expected, of in zip(found, wanted, sums, strict=False):
        assert np.array_equal(got.argmax(axis=-1), of.argmax(axis=-1))
        assert np.abs(got - expected).max() < WRONG + 2.0**-16
    for got, expected in zip(found[len(sums) :], wanted[len(sums) :], strict=True):
        assert np.array_equal(got, expected)


def test_a_softmax_of_bits_is_ours_too(hls4ml, tmp_path):
    graph = convert(hls4ml, model_of((20,), binary_dense(4, "d1"), sign("s1"), softmax()), tmp_path)
    assert list(classes_of(graph).values())[-2:] == ["XnorUnpack", "XnorSoftmax"]
    graph.write()


@pytest.mark.slow
def test_softmax_of_streams(hls4ml, tmp_path):
    model = model_of((20,), binary_dense(16, "d1"), norm("b1"), sign("s1"), binary_dense(4, "out"), softmax())
    graph = convert(hls4ml, model, tmp_path, "XnorVitis", "io_stream")
    graph.compile()
    images = np.random.default_rng(1).choice(np.array([-1, 1], np.float32), (200, 20))
    expected = model.predict(images, verbose=0)
    got = graph.predict(images).reshape(expected.shape)
    assert np.array_equal(got.argmax(axis=1), expected.argmax(axis=1))
    assert np.abs(got - expected).max() < WRONG


def configured(hls4ml, folder, **soft):
    model = model_of((20,), binary_dense(16, "d1"), sign("s1"), binary_dense(4, "out"), softmax())
    return convert(hls4ml, model, folder, soft=soft)


def test_what_the_configuration_asks_of_a_softmax_stays(hls4ml, tmp_path):
    assert classes_of(configured(hls4ml, tmp_path, Implementation="argmax"))["soft"] == "Softmax"
    assert "soft" not in classes_of(configured(hls4ml, tmp_path, Skip=True))
    graph = configured(hls4ml, tmp_path, Precision={"result": "ufixed<9,1>"}, TableSize=1024)
    assert str(next(reversed(graph.get_layers())).get_output_variable().type.precision) == "ufixed<9,1,TRN,WRAP,0>"
    graph = configured(hls4ml, tmp_path, Precision={"result": "auto", "exp_table": "fixed<18,8,RND,SAT,0>"})
    assert classes_of(graph)["soft"] == "XnorSoftmax"


@pytest.mark.parametrize(
    ("soft", "text"),
    [
        ({"Implementation": "latency"}, "Implementation must be stable or argmax"),
        ({"Implementation": "legacy"}, "Implementation must be stable or argmax"),
        ({"Precision": {"exp_table": "fixed<10,2>"}}, "Precision exp_table is fixed<10,2"),
        ({"TableSize": 64}, "TableSize is 64; leave it out"),
        ({"Precision": {"result": "fixed<8,1>"}}, "its type must hold 1 and have 3 fraction bits"),
        ({"Precision": {"result": "fixed<8,6>"}}, "its type must hold 1 and have 3 fraction bits"),
    ],
)
def test_settings_with_which_the_class_would_be_wrong_are_refused(hls4ml, tmp_path, soft, text):
    with pytest.raises(ConfigError, match=f"^layer soft: {text}"):
        configured(hls4ml, tmp_path, **soft)


def test_another_axis_is_refused(hls4ml, tmp_path):
    keras = import_keras()
    model = model_of((20,), binary_dense(8, "out"), keras.layers.Reshape((4, 2)), softmax(axis=1))
    with pytest.raises(ConfigError, match=r"^layer soft: axis of a softmax must be the last"):
        convert(hls4ml, model, tmp_path)
