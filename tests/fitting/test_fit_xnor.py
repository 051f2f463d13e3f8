"""fit and explore with our kernels, and the configurations that come along."""

from conftest import ROOT

from xnorflow.base.device import device_of
from xnorflow.fitting.choose import choose_options, cost_of
from xnorflow.fitting.cost_hls4ml import StockKernel
from xnorflow.fitting.cost_xnor import XnorKernel
from xnorflow.fitting.problem import Budget, Goal
from xnorflow.flow.config_file import load_config
from xnorflow.net.folding import Folding
from xnorflow.net.shapes import dense_shapes

CONFIGS = ROOT / "hls_configs"
HOME = Budget(device_of("xc7z010clg400-1"))


def test_sfc_fits_where_hls4mls_own_kernel_does_not():
    layers = dense_shapes((784, 256, 256, 256, 10))
    assert choose_options(layers, StockKernel("Resource"), HOME).cost is None
    ours = choose_options(layers, XnorKernel(), HOME, Goal(level="high"))
    assert ours.cost is not None and ours.cost.interval_cycles <= 128


def test_a_given_folding_is_judged_as_it_is(tiny_spec):
    config = load_config(CONFIGS / "digits.yaml").with_route(reuse_factor=1)
    given = config.with_route(folding={layer.name: Folding(2, 16) for layer in tiny_spec.layers})
    cost = cost_of(tiny_spec, given)
    assert [layer.folding for layer in cost.layers] == [(2, 16)] * 3
    assert [layer.reuse_factor for layer in cost.layers] == [32, 8, 5]


def test_block_ram_between_convolutions_is_counted_where_images_are_whole(tiny_conv_spec):
    config = load_config(CONFIGS / "digits.yaml").with_route(reuse_factor=1)
    blocks = [
        cost_of(tiny_conv_spec, config.with_route(io_type=io_type)).expected.bram18.likely
        for io_type in ("io_stream", "io_parallel")
    ]
    assert blocks[0] == 0 < blocks[1]
