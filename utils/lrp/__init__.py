"""Layer-wise relevance propagation (LRP): the call `relevance`, and the published rules."""

from utils.lrp.relevance import Relevance, relevance
from utils.lrp.rules import RULES, Rule, alpha_beta, epsilon, flat, gamma, w_square, z, z_box

__all__ = ["RULES", "Relevance", "Rule", "relevance"]
__all__ += ["alpha_beta", "epsilon", "flat", "gamma", "w_square", "z", "z_box"]
