"""Data sets: real ones that come with scikit-learn, and synthetic ones of any size. Nothing is downloaded.

Every loader returns float64 NumPy inputs (rows, features) and targets (rows, outputs).
"""

from functools import cache
from typing import Any

import numpy as np

from gradmark.random import generator

Numbers = tuple[Any, Any]


@cache
def digits() -> Numbers:
    """1797 handwritten digits: 64 pixels scaled to [-1, 1], and one-hot targets of 10 classes."""
    from sklearn.datasets import load_digits

    inputs, labels = load_digits(return_X_y=True)
    return inputs / 8.0 - 1.0, np.eye(10)[labels]


@cache
def breast_cancer() -> Numbers:
    """569 tumours: 30 standardised features, and the target 1 for benign, 0 for malignant, shape (569, 1)."""
    from sklearn.datasets import load_breast_cancer

    inputs, labels = load_breast_cancer(return_X_y=True)
    return (inputs - inputs.mean(axis=0)) / inputs.std(axis=0), labels[:, None].astype(np.float64)


def synthetic(rows: int, inputs: int, outputs: int, seed: int) -> Numbers:
    """Normal inputs, and targets from a random two-layer tanh network with a tenth of noise."""
    random = generator(seed, "data")
    x = random.standard_normal((rows, inputs))
    hidden = np.tanh(x @ random.standard_normal((inputs, 16)) / inputs**0.5)
    y = hidden @ random.standard_normal((16, outputs)) / 4 + 0.1 * random.standard_normal((rows, outputs))
    return x, y


def one_hot_of_largest(targets: Any) -> Any:
    """Class targets from real ones: 1 at each row's largest, 0 elsewhere."""
    return np.eye(targets.shape[1])[np.argmax(targets, axis=1)]


SYNTHETIC_ROWS = 1024


def rows_there(data: str, batch: int) -> int:
    """How many rows the data set `data` ("digits" or "synthetic") has for a problem that draws `batch`."""
    return len(digits()[0]) if data == "digits" else max(batch, SYNTHETIC_ROWS)


def rows_of(data: str, inputs: int, outputs: int, loss: str, rows: int, seed: int) -> dict[str, Any]:
    """``inputs`` and ``targets`` of the data set named `data`; classes where `loss` is of such."""
    if data == "digits":
        x, y = digits()
    else:
        x, y = synthetic(rows, inputs, outputs, seed)
        if loss in ("cross_entropy", "zero_one"):
            y = one_hot_of_largest(y)
    return {"inputs": x, "targets": y}
