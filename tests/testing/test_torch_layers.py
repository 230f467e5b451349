"""`assert_autograd` accepts the layers of torch, in every dtype and on every device that is there."""

import pytest

from gradmark.testing import assert_autograd
from tests.testing.torch_tensors import every_dtype, normal

torch = pytest.importorskip("torch")
nn, functional = torch.nn, torch.nn.functional
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device here"),
        ],
    ),
]


class Layer:
    """A module with weights that are the same in every run, and its inputs."""

    def __init__(self, make, *inputs):
        self.make, self.inputs = make, inputs

    def of(self, dtype, device="cpu"):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            module = self.make()
        inputs = [
            each() if callable(each) else normal(*each, dtype=dtype, device=device) for each in self.inputs
        ]
        return module.to(device, dtype), [each.to(device) if not each.is_leaf else each for each in inputs]


def classes():
    return torch.tensor([0, 2, 1, 2])


class CrossEntropy(nn.Module):
    """Softmax cross-entropy of a linear map."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 3)

    def forward(self, x, target):
        return functional.cross_entropy(self.linear(x), target.to(x.device))


class Embedded(nn.Module):
    """Words to vectors, some of them twice."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(6, 3)

    def forward(self, scale):
        return self.table(torch.tensor([[0, 3], [3, 5]], device=scale.device)) * scale


LAYERS = {
    "linear": Layer(lambda: nn.Linear(4, 3), (5, 4)),
    "layer norm": Layer(lambda: nn.LayerNorm(6), (3, 6)),
    "gelu": Layer(nn.GELU, (7,)),
    "relu": Layer(nn.ReLU, (7,)),
    "cross entropy": Layer(CrossEntropy, (4, 5), classes),
    "embedding": Layer(Embedded, (3,)),
    "conv2d": Layer(lambda: nn.Conv2d(2, 3, 3), (2, 2, 5, 5)),
    "lstm cell": Layer(lambda: nn.LSTMCell(3, 4), (2, 3)),
}


@every_dtype
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", LAYERS)
def test_the_layers_of_torch_are_right(name, device, dtype) -> None:
    module, inputs = LAYERS[name].of(dtype, device)
    check = assert_autograd(module, *inputs)
    assert check.record["dtype"] == str(dtype).removeprefix("torch.")
    assert any(finding.check.startswith("reverse.") for finding in check.findings)
    assert any(finding.check.startswith("forward") for finding in check.findings)
