"""NetSpec to Verilog (folded XNOR-popcount layers on ready/valid streams), simulated and synthesized from PyPI."""

from xnorflow.rtl.folding import Folding, NetPlan, choose_foldings, plan_network
from xnorflow.rtl.generate import TOP, files_of, generate

__all__ = ["TOP", "Folding", "NetPlan", "choose_foldings", "files_of", "generate", "plan_network"]
