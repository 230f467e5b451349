"""The adding problem with a vanilla recurrent network."""

from gradmark.arguments import check_fits, check_name, check_number, check_size
from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from problems.assembling import assemble
from problems.initialisations import INITIALISATIONS
from problems.layers.dense import Dense
from problems.layers.nonlinearities import NONLINEARITIES
from problems.layers.recurrent import ACTIVATIONS, RECURRENT, Recurrent
from problems.losses import MeanSquaredError
from problems.network import Network
from problems.sequences import FEATURES, adding, rows_there

_LARGEST_RADIUS = 1e4
"""Weights of this size are finite in every dtype, float16 (to 65504) among them."""


def rnn(
    *,
    length: int = 20,
    hidden: int = 32,
    activation: str = "tanh",
    recurrent: str = "orthogonal",
    radius: float = 1.0,
    initialisation: str = "xavier",
    batch: int = 32,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """The sum of two marked numbers among `length`, by a recurrent layer of `hidden` units and a dense one.

    `activation` is identity, tanh, relu or leaky_relu. The recurrent weights start as `radius` (from 0 to
    1e4) times an orthonormal matrix (`recurrent` orthogonal), the identity (identity; with relu, the network
    of Le, Jaitly and Hinton 2015) or a normal one whose eigenvalues fill the disc of that radius (normal):
    gradients of a linear network then vanish or grow by `radius` a step. All other weights start as
    `initialisation` says (xavier, he, lecun, orthogonal or normal), biases at zero. The loss is mse; a draw
    is `batch` of 1024 or more sequences (see `problems.sequences.adding`). Raises `UsageError` for a name or
    size that does not fit, or that would not fit into memory.

    >>> problem = rnn(hidden=16)
    >>> for name, array in problem.parameters.items():
    ...     print(name, array.shape)
    layers.0.weight_ih (16, 2)
    layers.0.weight_hh (16, 16)
    layers.0.bias (16,)
    layers.1.weight (1, 16)
    layers.1.bias (1,)
    """
    arguments = dict(locals())
    check_name("activation", activation, ACTIVATIONS)
    check_name("recurrent initialisation", recurrent, RECURRENT)
    check_name("initialisation", initialisation, INITIALISATIONS)
    check_number("rnn", "radius", radius, 0, _LARGEST_RADIUS)
    length, hidden = check_size("rnn", "length", length, 2), check_size("rnn", "hidden", hidden)
    rows = rows_there(check_size("rnn", "batch", batch))
    check_fits("rnn", hidden * (hidden + FEATURES + 2) + rows * (FEATURES * length + 1))
    arrays = Arrays(backend, device, dtype)
    layer = Recurrent(
        FEATURES, hidden, length, arrays, activation, "last", recurrent=recurrent, radius=radius
    )
    return assemble(
        Call("rnn", arguments),
        (NamedLayer("layers.0", layer), NamedLayer("layers.1", Dense(hidden, 1, arrays))),
        MeanSquaredError(arrays),
        adding(rows, length, seed),
        arrays,
        batch=batch,
        seed=seed,
        initialisation=initialisation,
        smoothness=NONLINEARITIES[activation].smoothness,
    )
