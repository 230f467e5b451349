"""The asv suite: one file for each quantity, over method x problem x size x device (the grid of `common`).

`timing`, `cost`, `evaluations`, `memory` and `accuracy` are the quantities; `speed` sets backpropagation
by hand beside what people use.

Threads are pinned here, before anything imports a numerical library: two OpenMP threads on two busy cores can
make a call of 60 us take 40 ms. asv's own place for it, the matrix, is not read for an existing environment.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
