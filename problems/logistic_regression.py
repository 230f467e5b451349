"""Logistic regression on real data, with the closed-form gradient."""

from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_size
from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError, shown
from gradmark.layer import NamedLayer
from gradmark.parameters import Parameters
from gradmark.problem import Call
from gradmark.random import generator
from problems import data as datasets
from problems.layers.branches import minus_abs
from problems.layers.dense import Dense
from problems.layers.differences import DIFFERENCES
from problems.layers.log1p import log1p
from problems.layers.nonlinearities import NONLINEARITIES, relu
from problems.network import Network, sample_rows


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """1/B sum over rows of softplus(y) - t y, for logits y and targets t in {0, 1}.

    The gradient is (sigmoid(y) - t) / B. Softplus is max(y, 0) + log(1 + exp(-|y|)), and max(y, 0) - t y is
    taken first, because it is exactly 0 for a row on the right side: so the loss of such a row keeps its
    digits.
    """

    arrays: Arrays

    def value(self, outputs: Array, draw: Draw) -> Array:
        """The loss, shape () or (N,)."""
        return self.arrays.xp.mean(self.row_losses(outputs, draw), axis=-1)

    def row_losses(self, outputs: Array, draw: Draw) -> Array:
        """softplus(y) - t y, shape (..., rows)."""
        xp = self.arrays.xp
        rows = (relu(self.arrays, outputs) - draw.arrays["targets"] * outputs) + log1p(
            self.arrays, xp.exp(minus_abs(xp, outputs))
        )
        return rows[..., 0]

    def row_differences(self, outputs: Array, draw: Draw, changes: Array) -> Array:
        """What softplus changes by, less t d."""
        moved = DIFFERENCES["softplus"](self.arrays, outputs, changes)
        return (moved - draw.arrays["targets"] * changes)[..., 0]

    def unit_differences(self, outputs: Array, draw: Draw, change: float) -> Array:
        """The same for the one output of each row."""
        changes = self.arrays.xp.full_like(outputs, change)
        return self.row_differences(outputs, draw, changes)[..., None]

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """(sigmoid(y) - t) / B."""
        return (NONLINEARITIES["sigmoid"].value(self.arrays, outputs) - draw.arrays["targets"]) / draw.count

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """sum of (sigmoid(y) - t) dy / B."""
        return self.arrays.xp.sum(self.pullback(outputs, draw) * tangents, axis=(-2, -1))

    def value_and_pullback_into(self, outputs: Any, draw: Draw, d_outputs: Any) -> Any:
        """The loss, with (sigmoid(y) - t) / B written into `d_outputs`."""
        d_outputs[...] = self.pullback(outputs, draw)
        return self.value(outputs, draw)


def logistic_regression(
    *,
    batch: int = 569,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """Benign or malignant, from the 30 standardised features of the breast-cancer data: 31 parameters.

    `batch` of the 569 rows. Closed-form gradient: X^T (sigmoid(X w + b) - t) / B. Raises `UsageError` for a
    batch that is not there.

    >>> problem = logistic_regression(batch=100)
    >>> {name: array.shape for name, array in problem.parameters.items()}
    {'layers.0.weight': (1, 30), 'layers.0.bias': (1,)}
    """
    arguments = dict(locals())
    check_size("logistic_regression", "batch", batch)
    arrays = Arrays(backend, device, dtype)
    inputs, targets = datasets.breast_cancer()
    data = Draw({"inputs": arrays.array(inputs), "targets": arrays.array(targets)})
    if batch > data.count:
        raise UsageError(
            f"logistic_regression: `batch={shown(batch)}` is more than the {data.count} rows of the data."
        )
    weight = generator(seed, "weights").standard_normal((1, inputs.shape[1])) / inputs.shape[1] ** 0.5
    return Network(
        layers=(NamedLayer("layers.0", Dense(inputs.shape[1], 1, arrays)),),
        criterion=BinaryCrossEntropy(arrays),
        arrays=arrays,
        parameters={"layers.0.weight": arrays.array(weight), "layers.0.bias": arrays.zeros((1,))},
        data=data,
        batch=batch,
        default_draw=sample_rows(data, batch, seed, arrays),
        call=Call("logistic_regression", arguments),
        closed_form=_closed_form,
    )


def _closed_form(parameters: Parameters, draw: Draw) -> dict[str, Any]:
    inputs = draw.arrays["inputs"]
    xp: Any = _namespace(inputs)
    weight, bias = parameters["layers.0.weight"], parameters["layers.0.bias"]
    logits = xp.sum(inputs * weight, axis=-1) + bias[0]
    residual = (0.5 * (1 + xp.tanh(0.5 * logits)) - draw.arrays["targets"][:, 0]) / draw.count
    slope = xp.sum(residual[:, None] * inputs, axis=0)
    return {
        "layers.0.weight": xp.reshape(slope, (1, -1)),
        "layers.0.bias": xp.reshape(xp.sum(residual), (1,)),
    }


def _namespace(array: Array) -> Any:
    from array_api_compat import array_namespace

    return array_namespace(array)
