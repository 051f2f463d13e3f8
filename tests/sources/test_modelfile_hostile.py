"""Network files that are made to harm: huge when unpacked, pointing elsewhere, or without sense."""

from __future__ import annotations

import copy
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras_nets import chain, dense, norm, sign
from model_files import with_config, with_layer

from xnorflow.base.errors import XnorflowError
from xnorflow.sources.keras.file.config import read_network
from xnorflow.sources.keras.file.read import load_model

KERNEL = "model_weights/d/d/kernel:0"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder with one network twice, ``net.h5`` and ``net.keras``."""
    folder = tmp_path_factory.mktemp("model")
    model = chain((9,), dense(5, "d"), norm("n"), sign("s"), dense(3, "scores"))
    for suffix in (".h5", ".keras"):
        model.save(folder / f"net{suffix}")
    return folder


@pytest.fixture(scope="module")
def stored(files) -> Path:
    return files / "net.h5"


def refused(path: Path, says: str) -> None:
    with pytest.raises(XnorflowError, match=f"{path.name}: {says}") as caught:
        load_model(path)
    assert str(caught.value).isprintable()


def with_kernel(stored: Path, path: Path, *arguments: Any, **options: Any) -> Path:
    """Copy a network with another data set in place of a kernel."""
    shutil.copy(stored, path)
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
        file.create_dataset(KERNEL, *arguments, **options)
    return path


def test_a_kernel_that_unpacks_to_gigabytes_is_not_unpacked(stored, tmp_path):
    path = with_kernel(stored, tmp_path / "a.h5", (20_000, 20_000), "f4", compression="gzip")
    assert path.stat().st_size < 100_000
    refused(path, r"layer d: its weights have the shape \(20000, 20000\); at most 64,000,000 are read")
    path = with_kernel(stored, tmp_path / "b.h5", (9, 5), "f4", maxshape=(None, 5), chunks=(10**8, 1))
    refused(path, r"layer d: its weights have the shape \(9, 5\); at most 64,000,000 are read")


def test_many_kernels_count_together(stored, tmp_path):
    def change(config: Any) -> Any:
        config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 40_000_000]
        for layer in config["config"]["layers"][1:]:
            if "units" in layer["config"]:
                layer["config"]["units"] = 1
        return config

    path = with_kernel(stored, tmp_path / "a.h5", (40_000_000, 1), "f4", chunks=(1000, 1))
    with h5py.File(path, "r+") as file:
        for name in ("gamma", "beta", "moving_mean", "moving_variance"):
            del file[f"model_weights/n/n/{name}:0"]
            file.create_dataset(f"model_weights/n/n/{name}:0", (40_000_000,), "f4", chunks=(1000,))
        # the norm comes first, so that nothing is made before the limit is met
        order = json.loads(file.attrs["model_config"])
        layers = order["config"]["layers"]
        layers[1], layers[2] = layers[2], layers[1]
        file.attrs["model_config"] = json.dumps(order)
    refused(with_config(path, tmp_path / "b.h5", change), "its layers have more than 64,000,000 weights")


@pytest.mark.parametrize(
    ("layer", "values", "says"),
    [
        ("d", {"units": 10**6}, r"layer d: damaged \(its kernel must have the shape \(9, 1000000\), got \(9, 5\)"),
        ("d", {"units": 10**30}, "layer d: damaged"),
        ("d", {"units": 0}, "layer d: damaged"),
        ("d", {"units": "5"}, "layer d: damaged"),
        ("d", {"units": True}, "layer d: damaged"),
        ("d", {"use_bias": True}, "layer d: damaged"),
        ("d", {"dtype": "string"}, "layer d: dtype: damaged"),
        ("n", {"axis": 3}, "layer n: damaged"),
        ("n", {"axis": [1, 1]}, "layer n: damaged"),
        ("n", {"epsilon": "x"}, "layer n: damaged"),
        ("n", {"renorm": True}, "layer n: damaged"),
    ],
)
def test_declared_sizes_and_types_are_looked_at(stored, tmp_path, layer, values, says):
    refused(with_layer(stored, tmp_path / "a.h5", layer, **values), says)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("Reshape", {"target_shape": [10**9, -1]}),
        ("Reshape", {"target_shape": [-1, -1]}),
        ("MaxPooling2D", {"pool_size": [2, 2]}),
        ("QConv2D", {"filters": 10**7, "kernel_size": [10**7, 10**7]}),
        ("Flatten", {"data_format": "sideways"}),
        ("Softmax", {"axis": 9}),
    ],
)
def test_layers_that_do_not_fit_where_they_stand_are_refused(stored, tmp_path, kind, values):
    config = {"name": "s", "kernel_quantizer": "binary(alpha=1)", **values}
    path = with_layer(stored, tmp_path / "a.h5", "s", lambda layer: layer.update(config=config), class_name=kind)
    refused(path, "(layer s: damaged|damaged)")


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ([None, 10**12], "network net: must have one input of a fixed shape"),
        ([None, 5, 10**7, 9], "layer d: damaged"),
        ([None, None], "network net: must have one input of a fixed shape"),
        ([None], "network net: must have one input of a fixed shape"),
        ("x", "network net: must have one input of a fixed shape"),
        ([None, 0], "network net: must have one input of a fixed shape"),
    ],
)
def test_input_shapes_are_looked_at(stored, tmp_path, shape, says):
    def change(config: Any) -> Any:
        config["config"]["layers"][0]["config"]["batch_input_shape"] = shape
        return config

    refused(with_config(stored, tmp_path / "a.h5", change), says)


def test_no_link_of_a_file_leads_out_of_it(stored, tmp_path):
    shutil.copy(stored, tmp_path / "other.h5")
    links = {
        "soft": h5py.SoftLink(f"/model_weights/scores/{KERNEL}"),
        "external": h5py.ExternalLink("other.h5", KERNEL),
    }
    for name, link in links.items():
        for place in (KERNEL, "model_weights/d", "model_weights"):
            path = tmp_path / f"{name}.h5"
            shutil.copy(stored, path)
            with h5py.File(path, "r+") as file:
                del file[place]
                file[place] = link
            refused(path, ".*is a link to elsewhere, which is not followed")


def test_weights_in_another_file_are_not_read(stored, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(1000))
    path = with_kernel(stored, tmp_path / "a.h5", (9, 5), "f4", external=[(str(tmp_path / "secret"), 0, 180)])
    refused(path, "layer d: its weights lie in another file, which is not read")
    layout = h5py.VirtualLayout((9, 5), "f4")
    layout[:] = h5py.VirtualSource(str(stored), KERNEL, (9, 5))
    shutil.copy(stored, tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        del file[KERNEL]
        file.create_virtual_dataset(KERNEL, layout)
    refused(tmp_path / "b.h5", "layer d: its weights lie in another file, which is not read")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.zeros((9, 5), "S3"), "layer d: its weights are not numbers"),
        (np.zeros((9, 5), [("a", "f4")]), "layer d: its weights are not numbers"),
        (h5py.Empty("f4"), "layer d: its weights are not numbers"),
        (np.zeros((9, 5), complex), "layer d: its weights are not numbers"),
        (np.zeros((5, 9), "f4"), r"layer d: damaged \(its kernel must have the shape \(9, 5\), got \(5, 9\)\)"),
        (np.full((9, 5), np.nan, "f4"), r"layer d: weights are not all \+1 or -1, .*\(NaN\)"),
    ],
)
def test_weights_of_another_kind_are_refused(stored, tmp_path, data, says):
    refused(with_kernel(stored, tmp_path / "a.h5", data=data), says)


def test_a_configuration_of_many_megabytes_is_not_read(stored, tmp_path):
    shutil.copy(stored, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.attrs["model_config"] = "[" * 9_000_000
    refused(tmp_path / "a.h5", "damaged; its configuration is no text of at most 8,000,000 bytes")


def repacked(files: Path, path: Path, way: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    """Copy the .keras file with members replaced."""
    with zipfile.ZipFile(files / "net.keras") as source, zipfile.ZipFile(path, "w", way) as target:
        for name in source.namelist():
            target.writestr(name, members.get(name.partition(".")[0], source.read(name)))
    return path


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(files, tmp_path, monkeypatch):
    path = repacked(files, tmp_path / "a.keras", config=bytes(9_000_000))
    assert path.stat().st_size < 100_000
    refused(path, "its config.json unpacks to 9,000,000 bytes, at most 8,000,000 are read")
    monkeypatch.setattr("xnorflow.sources.keras.file.store._MOST_BYTES", 1_000_000)
    path = repacked(files, tmp_path / "b.keras", model=bytes(1_000_001))
    refused(path, r"its model\.weights\.h5 unpacks to 1,000,001 bytes, at most 1,000,000 are read")
    path = repacked(files, tmp_path / "c.keras", zipfile.ZIP_STORED, model=bytes(1_000_001))
    refused(path, r"it has [\d,]+ bytes, at most 1,000,000 are read")
    path = repacked(files, tmp_path / "d.keras", zipfile.ZIP_BZIP2)
    refused(path, "its config.json is compressed in a way that Keras does not write")


def test_an_archive_that_lies_about_a_size_is_not_unpacked_further(files, tmp_path):
    path = repacked(files, tmp_path / "a.keras", config=b" " * 5_000_000)
    content = path.read_bytes()
    # both places that say how large config.json is
    path.write_bytes(content.replace((5_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    assert path.read_bytes() != content
    refused(path, "damaged, or not written by Keras")


def test_archives_without_a_part_are_told_which(files, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    refused(tmp_path / "a.keras", r"it is a \.keras file without model\.weights\.h5")
    refused(repacked(files, tmp_path / "b.keras", model=b"x"), "damaged, or not written by Keras")


def test_names_out_of_a_file_are_derived(stored, tmp_path):
    change = {"name": "../../s\n\x1b[2J"}
    path = with_layer(stored, tmp_path / "a.h5", "s", lambda layer: layer["config"].update(change))
    assert [layer.name for layer in load_model(path)[0].layers] == ["d", "n", "s_2J", "scores"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += leaves(item, (*path, key))
    return found


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_edit_of_a_configuration_is_one_line_or_harmless(stored, data):
    with h5py.File(stored) as file:
        config = json.loads(file.attrs["model_config"])
    *path, last = data.draw(st.sampled_from(leaves(config)[1:]))
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    changed = copy.deepcopy(config)
    place = changed
    for key in path:
        place = place[key]
    place[last] = data.draw(plain | st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=9), plain))
    try:
        read_network(changed)
    except XnorflowError as error:
        assert str(error).isprintable()
