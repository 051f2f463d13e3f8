"""The configurations that come along: fit writes each of them again, word for word."""

import importlib.util

import pytest
import yaml
from conftest import ROOT

from xnorflow.base.resources import counts_at
from xnorflow.flow.config_file import load_config, write_config
from xnorflow.routes.hls.plan.network import plan_project
from xnorflow.routes.rtl.plan.fold import plan_network

_loader = importlib.util.spec_from_file_location("fit_all", ROOT / "hls_configs/fit_all.py")
fit_all = importlib.util.module_from_spec(_loader)
_loader.loader.exec_module(fit_all)


@pytest.mark.parametrize("path", fit_all.configurations(), ids=lambda path: path.stem)
def test_shipped_configurations_are_what_fit_writes(shipped, path, tmp_path):
    config = load_config(path)
    spec = shipped[fit_all.model_of(path, config).stem]
    found, chosen = fit_all.refit(path, spec)
    assert chosen == config and (config.hls is None or config.hls.kernel == "xnor")
    assert path.read_text(encoding="utf-8").splitlines()[0] == f"# {found.message}"
    write_config(chosen, tmp_path / "again.yaml", found.message)
    again, stored = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in (tmp_path / "again.yaml", path))
    again.pop("network"), stored.pop("network")
    assert again == stored
    exact = plan_network(spec, config.rtl.folding) if config.hls is None else plan_project(spec, config.hls)
    assert found.cost.interval_cycles == exact.interval_cycles
    use, most = counts_at(found.cost.expected, "high"), found.budget.usable
    assert use.within(most)


def test_fit_all_writes_the_named_ones(tmp_path, shipped):
    fit_all.main(str(tmp_path), "digits")
    assert [path.name for path in tmp_path.iterdir()] == ["digits.yaml"]
    assert load_config(tmp_path / "digits.yaml").hls == load_config(fit_all.CONFIGS / "digits.yaml").hls
