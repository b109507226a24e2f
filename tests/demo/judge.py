"""An oracle too small to be right, and quick enough to test with."""

import torch

from ganedit_widgets.demo.oracle import Oracle
from ganedit_widgets.demo.oracle.network import OracleConfig, OracleNetwork

SMALL = OracleConfig(size=32, widths=(6, 8, 10, 12, 8), features=16, identity=8)


def judge(seed=0):
    """An untrained oracle."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Oracle(OracleNetwork(SMALL).eval().requires_grad_(False))
