from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import with_config

from xnorflow.base.errors import ConfigError, DataError, XnorflowError
from xnorflow.base.keras_stack import import_keras, import_qkeras
from xnorflow.blocks import add_conv, add_dense, add_flatten, add_scores, start
from xnorflow.net.inputs import InputSettings
from xnorflow.net.spec_file import spec_sha256
from xnorflow.sources.keras.extract import extract_model
from xnorflow.sources.keras.file.read import load_model, save_model

SETTINGS = InputSettings(1, 100)


def make() -> Any:
    model = start("small", (8, 8, 1), flat=False)
    add_conv(model, 4, "conv1", pool=2)
    add_flatten(model)
    add_dense(model, 6, "dense1")
    add_scores(model, 3)
    random = np.random.default_rng(0)
    for layer in model.layers:
        if "norm" in layer.name:
            size = [weight.shape for weight in layer.get_weights()]
            layer.set_weights([random.uniform(0.5, 2, shape) for shape in size])
    return model


@pytest.fixture(scope="module")
def model() -> Any:
    return make()


@pytest.fixture(scope="module")
def stored(model, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.h5"
    save_model(model, path, SETTINGS)
    return path


def kernels(model: Any) -> list[np.ndarray]:
    return [layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")]


def test_load_of_save_is_the_same_network(model, stored):
    loaded, found = load_model(stored)
    assert found == SETTINGS
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    x = np.random.default_rng(1).choice([-1.0, 1.0], (50, 8, 8, 1)).astype(np.float32)
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert spec_sha256(extract_model(loaded)) == spec_sha256(extract_model(model))


def test_kernels_are_stored_as_signs_and_the_live_model_keeps_its_own(model, stored):
    latent = kernels(model)
    assert not np.isin(latent[0], (-1, 1)).all()
    for one, other in zip(kernels(load_model(stored)[0]), latent, strict=True):
        assert np.array_equal(one, np.where(other >= 0, 1, -1))


def test_saving_twice_gives_the_same_network_again(stored, tmp_path):
    loaded, found = load_model(stored)
    save_model(loaded, tmp_path / "again.h5", found)
    again, _ = load_model(tmp_path / "again.h5")
    assert spec_sha256(extract_model(again)) == spec_sha256(extract_model(loaded))
    assert [entry.name for entry in tmp_path.iterdir()] == ["again.h5"]


def test_a_kernel_takes_a_few_bits_per_weight(tmp_path):
    wide = start("wide", (28, 28, 1), flat=True)
    add_dense(wide, 256, "dense1")
    add_scores(wide, 10)
    save_model(wide, tmp_path / "wide.h5", SETTINGS)
    weights = sum(kernel.size for kernel in kernels(wide))
    assert (tmp_path / "wide.h5").stat().st_size < weights * 3 / 8 + 40_000


def damaged(path: Path, content: bytes) -> str:
    """Write and load it: refused in one line that names the file."""
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_model(path)
    text = str(caught.value)
    assert len(text.splitlines()) == 1 and path.name in text
    return text


@pytest.mark.parametrize("content", [b"", b"\0", b"hello, world\n" * 99, b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"])
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_foreign_and_empty_files_are_refused(tmp_path, content, suffix):
    damaged(tmp_path / f"foreign{suffix}", content)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_truncated_files_are_refused(tmp_path, stored, share):
    content = stored.read_bytes()
    damaged(tmp_path / "cut.h5", content[: int(len(content) * share)])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_is_refused_in_one_line_or_harmless(stored, tmp_path_factory, data):
    content = bytearray(stored.read_bytes())
    begin = data.draw(st.integers(0, len(content) - 1))
    content[begin : begin + 30] = data.draw(st.binary(min_size=1, max_size=30))
    path = tmp_path_factory.mktemp("damage") / "bad.h5"
    path.write_bytes(content)
    try:
        load_model(path)
    except XnorflowError as error:
        assert len(str(error).splitlines()) == 1 and "bad.h5" in str(error)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"no such network file: .*none\.h5; train one with"):
        load_model(tmp_path / "none.h5")
    with pytest.raises(DataError, match="no such network file"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "text",
        [],
        {},
        {"class_name": ["list"]},
        {"class_name": {"a": 1}},
        {"class_name": 3},
        {"class_name": "Sequential"},
        {"class_name": "Evil", "config": [1]},
        {"class_name": "Sequential", "config": []},
        {"class_name": "Sequential", "config": {"layers": 7}},
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "QDense"}]}},
    ],
)
def test_configurations_that_make_no_sense_are_refused(stored, tmp_path, value):
    path = with_config(stored, tmp_path / "odd.h5", lambda config: value)
    with pytest.raises(XnorflowError, match=r"odd\.h5") as caught:
        load_model(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("depth", [900, 3000, 30_000])
def test_deeply_nested_configurations_are_refused(stored, tmp_path, depth):
    path = shutil.copy(stored, tmp_path / "deep.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = "[" * depth + "]" * depth
    with pytest.raises(DataError, match=r"deep\.h5"):
        load_model(path)


def test_a_file_without_a_model_is_refused(stored, tmp_path):
    with h5py.File(tmp_path / "bare.h5", "w") as file:
        file.create_dataset("x", data=[1, 2])
    with pytest.raises(DataError, match=r"bare\.h5: it is an HDF5 file, but Keras has not written a network to it"):
        load_model(tmp_path / "bare.h5")
    shutil.copy(stored, tmp_path / "less.h5")
    with h5py.File(tmp_path / "less.h5", "r+") as file:
        del file["model_weights"]["dense1"]
    with pytest.raises(DataError, match=r"less\.h5"):
        load_model(tmp_path / "less.h5")


@pytest.mark.parametrize("value", ["[]", "3", "{", '{"bits": "8"}', '{"bits": 3}', '{"pixel_threshold": 0}'])
def test_damaged_input_settings_are_refused(stored, tmp_path, value):
    shutil.copy(stored, tmp_path / "set.h5")
    with h5py.File(tmp_path / "set.h5", "r+") as file:
        file.attrs["xnorflow_input"] = value
    with pytest.raises(DataError, match=r"set\.h5"):
        load_model(tmp_path / "set.h5")


def lambda_model(target: Path) -> Any:
    """A network whose Lambda writes a file when it is called, which building it already does."""
    keras = import_keras()
    model = start("evil", (4,), flat=True)
    model.add(keras.layers.Lambda(lambda x, path=str(target): (open(path, "w").close(), x)[1], name="payload"))  # noqa: PTH123
    add_scores(model, 2)
    return model


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_lambda_is_refused_without_being_run(tmp_path, suffix):
    target = tmp_path / "ran"
    path = tmp_path / f"evil{suffix}"
    lambda_model(target).save(path)
    target.unlink()
    with pytest.raises(ConfigError, match=f"evil{suffix}: layer payload: 'Lambda' is refused, for loading it"):
        load_model(path)
    assert not target.exists()
    custom: dict[str, Any] = {}
    import_qkeras().utils._add_supported_quantized_objects(custom)
    import_keras().models.load_model(path, custom_objects=custom, compile=False, safe_mode=False)
    assert target.exists(), "Keras alone would not have run it, so the test proves nothing"


def test_a_lambda_behind_a_harmless_archive_is_refused(tmp_path):
    """A file that is .h5 in front and .zip behind is one network to h5py and another to zipfile."""
    keras = import_keras()
    target = tmp_path / "ran"
    lambda_model(target).save(tmp_path / "evil.h5")
    make().save(tmp_path / "good.keras")
    target.unlink()
    with zipfile.ZipFile(tmp_path / "good.keras") as archive, zipfile.ZipFile(tmp_path / "evil.h5", "a") as both:
        for name in archive.namelist():
            both.writestr(name, archive.read(name))
    assert zipfile.is_zipfile(tmp_path / "evil.h5") and h5py.is_hdf5(tmp_path / "evil.h5")
    with pytest.raises(XnorflowError, match=r"evil\.h5"):
        load_model(tmp_path / "evil.h5")
    assert not target.exists()
    assert keras is not None


def test_a_custom_object_is_refused(tmp_path):
    keras = import_keras()

    class Strange(keras.layers.Layer):
        pass

    model = start("evil", (4,), flat=True)
    model.add(Strange(name="odd_one"))
    add_scores(model, 2)
    for suffix in (".h5", ".keras"):
        model.save(tmp_path / f"evil{suffix}")
        with pytest.raises(ConfigError, match=r"layer odd_one: .*Strange.* is refused"):
            load_model(tmp_path / f"evil{suffix}")


def test_a_foreign_module_is_refused(stored, tmp_path):
    def change(config: Any) -> Any:
        config["config"]["layers"][1]["module"] = "os.path"
        return config

    with pytest.raises(ConfigError, match=r"foreign\.h5: layer conv1: QConv2D from module 'os\.path' is refused"):
        load_model(with_config(stored, tmp_path / "foreign.h5", change))


@pytest.mark.parametrize("module", ["kerasx", "os.keras", "xkeras", "qkeras_evil.a", "subprocess"])
def test_modules_that_only_look_like_keras_are_refused(stored, tmp_path, module):
    def change(config: Any) -> Any:
        config["config"]["layers"][1]["module"] = module
        return config

    with pytest.raises(ConfigError, match=r"only Keras' and QKeras' own may load"):
        load_model(with_config(stored, tmp_path / "foreign.h5", change))


def test_keras_archives_load_too(model, tmp_path):
    model.save(tmp_path / "whole.keras")
    loaded, found = load_model(tmp_path / "whole.keras")
    assert found is None
    assert spec_sha256(extract_model(loaded)) == spec_sha256(extract_model(model))
    content = (tmp_path / "whole.keras").read_bytes()
    for share in (0.2, 0.6, 0.95):
        damaged(tmp_path / "cut.keras", content[: int(len(content) * share)])
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
    with pytest.raises(DataError, match=r"empty\.keras"):
        load_model(tmp_path / "empty.keras")
