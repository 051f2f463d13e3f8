"""NetSpec to Verilog: folded XNOR-popcount layers on ready/valid streams, simulated by Verilator."""

from xnorflow.rtl.folding import choose_foldings, plan_network
from xnorflow.rtl.generate import TOP, files_of
from xnorflow.rtl.netplan import NetPlan
from xnorflow.xnor.folding import Folding

__all__ = ["TOP", "Folding", "NetPlan", "choose_foldings", "files_of", "plan_network"]
