"""torch.autograd.gradcheck, its default: the full Jacobian by central differences."""

from gradmark.arrays import installed as has
from reports.scorecard.battery.case import Question
from reports.scorecard.checkers import torch_gradcheck
from reports.scorecard.checkers.said import Said
from reports.scorecard.checkers.torch_gradcheck import refuses as refuses

TITLE = "torch gradcheck"
REJECTIONS = (Exception,)


def installed() -> bool:
    """Whether torch is."""
    return has("torch")


def check(question: Question) -> Said:
    """Ask it."""
    return torch_gradcheck.check(question, fast=False)
