"""YAML files that would take memory or time without end, as configurations."""

import os
from pathlib import Path

import pytest
from config_checks import load, refused

from xnorflow.base.errors import ConfigError
from xnorflow.base.files.yaml_file import _UniqueKeyLoader, load_yaml
from xnorflow.flow.config_file import load_config


def test_merge_keys_are_refused_as_they_unfold_without_end(tmp_path):
    bomb = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))
    assert "merge keys (<<) are not read, line 2; write the entries out" in refused(tmp_path, bomb)


def test_every_key_is_compared_with_few_others(tmp_path, monkeypatch):
    compared = 0

    class Key(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    constructors = _UniqueKeyLoader.yaml_constructors | {
        "tag:yaml.org,2002:str": lambda loader, node: Key(node.value)
    }
    monkeypatch.setattr(_UniqueKeyLoader, "yaml_constructors", constructors)
    (tmp_path / "a.yaml").write_text("".join(f"key{n}: 1\n" for n in range(1000)))
    assert len(load_yaml(tmp_path / "a.yaml", "a table")) == 1000
    assert compared < 10_000


def test_files_that_would_not_end_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", Path("/dev/zero"), tmp_path):
        with pytest.raises(ConfigError, match="it is not a regular file"):
            load_config(path)
    with pytest.raises(ConfigError, match="300,009 bytes, at most 262,144 are read"):
        load(tmp_path, "network: " + "a" * 300_000)
