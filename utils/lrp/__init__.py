"""Layer-wise relevance propagation (LRP).

`relevance` is the call. How it computes is in `propagate`, which is written to be read; a rule's
formula is in `rules`, which rule is for which layer in `composite`.
"""

from utils.lrp.composite import RULES
from utils.lrp.relevance import Relevance, relevance
from utils.lrp.rules import Rule, alpha_beta, epsilon, flat, gamma, w_square, z, z_box

__all__ = ["RULES", "Relevance", "Rule", "relevance"]
__all__ += ["alpha_beta", "epsilon", "flat", "gamma", "w_square", "z", "z_box"]
