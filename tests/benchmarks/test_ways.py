"""The ways of the speed tables can all be made: a table that stops half way is found too late."""

import pytest

from benchmarks.speed import differences, forward
from benchmarks.speed.networks import network
from gradmark.arrays import installed


@pytest.mark.parametrize("dtype", differences.DTYPES)
def test_every_way_takes_the_smallest_network_in_the_dtypes_of_its_table(dtype: str) -> None:
    for way in [*differences._ways(dtype), *forward._ways()]:
        if installed(way.backend):
            way.make(network("1e2", way.backend, dtype))
