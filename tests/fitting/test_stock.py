"""hls4ml as it is on a device: the table of the docs, the command, and where a network cannot fit."""

import io

import pytest
from conftest import NETWORKS, ROOT, needs_qkeras
from rich.console import Console

from xnorflow.base.device import device_of
from xnorflow.base.errors import ConfigError
from xnorflow.base.resources import counts_at
from xnorflow.cli.main import main
from xnorflow.fitting import question
from xnorflow.fitting.problem import Budget
from xnorflow.fitting.stock import stock_kernels, stock_rows
from xnorflow.flow.config_file import load_config
from xnorflow.net.shapes import dense_shapes, layer_shapes
from xnorflow.show import fit as show_fit
from xnorflow.show.table import print_tables
from xnorflow.tools.answer import Answer

BUDGET = Budget(device_of("xc7z010clg400-1"))
CONFIGS = ROOT / "hls_configs"


def rows_of(*sizes):
    config = load_config(CONFIGS / "digits.yaml").with_route(backend="Vivado", io_type="io_parallel")
    rows = stock_rows("net", dense_shapes(sizes), stock_kernels(config), BUDGET)
    return {row.kernel: row for row in rows}


def test_a_small_network_fits_and_a_large_one_says_what_lacks():
    small, large = rows_of(64, 64, 64, 10), rows_of(784, 512, 512, 512, 10)
    assert small["hls4ml Resource"].fit.cost is not None
    assert small["hls4ml Latency"].fit.cost is None
    for row in (large["hls4ml Latency"], large["hls4ml Resource"]):
        assert row.fit.cost is None and row.answer is Answer.DOES_NOT_FIT
        assert "LUT needs" in row.fit.message
    for row in (*small.values(), *large.values()):
        use = counts_at(row.shown.expected, "likely")
        fits = use.within(BUDGET.usable)
        assert fits == (row.fit.cost is not None)


def test_the_smallest_choice_is_shown_where_none_fits():
    row = rows_of(784, 512, 512, 512, 10)["hls4ml Resource"]
    assert row.shown is row.least
    needed = {item.kind: item.needed for item in row.fit.shortfalls}
    assert counts_at(row.least.expected, "likely").lut >= needed["lut"]
    (_, cannot), *_ = [(line, line[-1]) for line in show_fit.stock_table([row], BUDGET).rows]
    assert cannot.startswith("does not fit: likely LUT ") and "too many" in cannot


def test_a_band_that_reaches_into_the_budget_is_too_close_to_say():
    row = rows_of(64, 64, 64, 10)["hls4ml Latency"]
    least = row.least.expected.lut
    assert row.fit.cost is None and least.low < BUDGET.usable.lut < least.likely
    assert row.answer is Answer.TOO_CLOSE and row.fit.message.startswith("too close to say xc7z010: LUT needs ")
    assert show_fit.stock_table([row], BUDGET).rows[0][-1].startswith("too close to say: likely LUT ")


def test_verilog_has_no_hls4ml_in_it():
    with pytest.raises(ConfigError, match="name a configuration"):
        stock_kernels(load_config(CONFIGS / "digits-verilog.yaml"))


def test_the_table_of_the_docs_is_what_the_command_prints(shipped, monkeypatch, capsys):
    monkeypatch.setattr(question, "_network", lambda config, project: (shipped[config.network.stem], "shipped"))
    assert main(["stock", *(str(CONFIGS / f"{name}.yaml") for name in NETWORKS), "--markdown"]) == 0
    printed = capsys.readouterr().out
    table = [line for line in printed.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 3 * len(NETWORKS)
    assert "\n".join(table) in (ROOT / "docs/fit.md").read_text(encoding="utf-8")


def test_stock_on_the_terminal(capsys):
    needs_qkeras()
    assert main(["stock", str(CONFIGS / "digits.yaml"), "--part", "xc7z020clg400-1", "--project", "nowhere"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "digits on xc7z020: hls4ml's own kernels and ours" in printed and "Estimated" in printed


def test_the_terminals_tables_do_not_fold_on_80_columns(shipped):
    config = load_config(CONFIGS / "mfc.yaml")
    found = [
        stock_rows(name, layer_shapes(shipped[name]), stock_kernels(config), BUDGET) for name in ("mfc", "digits")
    ]
    tables = show_fit.stock_tables(found, BUDGET)
    stream = io.StringIO()
    print_tables(tables, Console(file=stream, width=80))
    drawn = stream.getvalue().splitlines()
    for table, rows in zip(tables, found, strict=True):
        cells = {name: values for name, *values in table.rows}
        assert cells["images/s"] == [f"{row.shown.images_per_s:,.0f}" for row in rows]
        assert cells["LUT"] == [f"{row.shown.expected.lut.likely:,}" for row in rows]
        for line in table.rows:
            # every cell stands whole in one line of the screen
            assert any(all(cell.strip() in shown for cell in line) for shown in drawn), line
    over = {item.kind: item.over for item in found[0][0].fit.shortfalls}
    assert dict((name, first) for name, first, *_ in tables[0].rows)["LUT too many"] == f"{over['lut']:,}"
