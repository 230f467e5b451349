"""The steps in time of a network that begins with a recurrent layer."""

from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.unroll import Unroll
from problems.layers.recurrent import Recurrent


def unroll_of(network: Any) -> Unroll | None:
    """The layer's states h_t, and the loss that the other layers make of the last one.

    None for a network whose first layer is another one (an opened one too), or hands on all its states.
    """
    named, *others = network.layers
    layer = named.layer
    if not isinstance(layer, Recurrent) or layer.output != "last":
        return None

    def initial(parameters: Parameters, draw: Draw) -> Array:
        members = {
            int(array.shape[0])
            for name, array in parameters.items()
            if array.ndim > network.parameters[name].ndim
        }
        return layer.arrays.zeros((*members, draw.count, layer.hidden))

    def step(parameters: Parameters, state: Array, draw: Draw, t: int) -> Array:
        inputs = draw.arrays["inputs"]
        if isinstance(t, int):
            x = inputs[..., t * layer.features : (t + 1) * layer.features]
        else:
            import jax

            x = jax.lax.dynamic_slice_in_dim(inputs, t * layer.features, layer.features, axis=-1)
        return layer.step(named.own(parameters), state, x)

    def loss(parameters: Parameters, state: Array, draw: Draw) -> Array:
        for each in others:
            state, _ = each.layer.forward(each.own(parameters), state, draw)
        value: Array = network.criterion.value(state, draw)
        return value

    return Unroll(initial, step, loss, layer.steps)
