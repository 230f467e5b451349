"""A module called with other parameters, in any dtype."""

import copy
from collections.abc import Mapping
from typing import Any

_PREFIX = "module."
"""Before the names of parameters, so that none can be taken for an input."""


class Copies:
    """Converted copies of `module`, made when they are needed. The module itself is never changed.

    `parameters` are those with ``requires_grad``, named as in its state dict after "module.".
    """

    def __init__(self, module: Any) -> None:
        self._module = module
        self._converted: dict[Any, Any] = {}
        self.parameters = {
            f"{_PREFIX}{name}": parameter
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        }

    def call(self, dtype: Any, at: Mapping[str, Any], arguments: tuple[Any, ...]) -> Any:
        """The module's result in `dtype`, with the parameters in `at`.

        Buffers are copies: what a layer writes into them (batch normalisation) is forgotten after the call.
        """
        from torch.func import functional_call

        module = self._in(dtype)
        values = {name: value.detach().clone() for name, value in module.named_buffers()}
        values |= {name.removeprefix(_PREFIX): value for name, value in at.items() if name in self.parameters}
        return functional_call(module, values, arguments)

    def _in(self, dtype: Any) -> Any:
        if any(parameter.dtype == dtype for parameter in self._module.parameters()):
            return self._module
        if dtype not in self._converted:
            self._converted[dtype] = copy.deepcopy(self._module).to(dtype=dtype)
        return self._converted[dtype]
