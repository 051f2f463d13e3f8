"""Names that become file names and identifiers: what is refused, and what is derived."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xnorflow.base.errors import ConfigError
from xnorflow.net.layers import ConvSpec, DenseSpec, ScoreSpec
from xnorflow.net.names import MOST_LETTERS, NAME, check_differ, check_name, derive_names
from xnorflow.net.spec import InputSpec, NetSpec

WRONG = [
    *("", "../x", "/etc/x", "a/b", "a b", "fc.1", "a-b", "1st", "a\nb", "a\x1b[2J", "é", "密", "a;b", "a$b", "a\0"),
    *("a\n", "x" * (MOST_LETTERS + 1), None, 7, ["a"]),
]


def dense(name: object) -> DenseSpec:
    return DenseSpec(name, np.ones((2, 2), np.int8), np.zeros(2, int))


@pytest.mark.parametrize("name", WRONG, ids=repr)
def test_a_name_that_is_no_identifier_is_refused_on_one_line(name):
    with pytest.raises(ConfigError, match=r"the name of a layer must be .*; got ") as caught:
        check_name("layer", name)
    assert len(str(caught.value).splitlines()) == 1 and str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["a", "_", "dense_1", "input", "class", "module", "A9", "x" * MOST_LETTERS])
def test_identifiers_and_reserved_words_are_names(name):
    check_name("layer", name)
    assert derive_names([name]) == [name]


@pytest.mark.parametrize("name", ["../x", "a\nb", 5])
def test_every_part_of_a_network_checks_its_name(name):
    ones, good = np.ones((2, 2), np.int8), ScoreSpec("scores", np.ones((2, 2), np.int8))
    for make in (
        lambda: dense(name),
        lambda: ScoreSpec(name, ones),
        lambda: ConvSpec(name, np.ones((1, 1, 1, 2), np.int8), np.zeros(2, int)),
        lambda: NetSpec(name, InputSpec((2,)), (dense("d"),), good),
    ):
        with pytest.raises(ConfigError, match=r"the name of a (layer|network) must be"):
            make()


def test_names_that_differ_in_case_only_are_refused():
    with pytest.raises(ConfigError, match="must differ by more than upper and lower case, got Fc, fc, scores"):
        NetSpec("net", InputSpec((2,)), (dense("Fc"), dense("fc")), ScoreSpec("scores", np.ones((2, 2), np.int8)))


@pytest.mark.parametrize(
    ("names", "derived"),
    [
        (["dense/1", "fc.1", "block1-dense", "my layer"], ["dense_1", "fc_1", "block1_dense", "my_layer"]),
        (["a b", "a_b", "a-b", "A_B"], ["a_b_2", "a_b", "a_b_3", "A_B_4"]),
        (["1st", "密", "", "../../x", "a\nb"], ["layer_1st", "layer", "layer_2", "x", "a_b"]),
        (["x" * 70, "x" * 71], ["x" * 64, "x" * 62 + "_2"]),
    ],
)
def test_the_nearest_name_is_derived(names, derived):
    assert derive_names(names) == derived


@settings(max_examples=50)
@given(st.lists(st.text(max_size=80) | st.sampled_from(["a", "A", "a_2", "a b", "x" * 64, "x" * 65]), max_size=8))
def test_derived_names_pass_and_stay(names):
    derived = derive_names(names)
    for name in derived:
        check_name("layer", name)
    check_differ(derived)
    assert derive_names(derived) == derived
    # the first of those that are names already keeps its own
    kept = {}
    for index, name in enumerate(names):
        if NAME.fullmatch(name):
            kept.setdefault(name.lower(), index)
    assert all(derived[index] == names[index] for index in kept.values())
