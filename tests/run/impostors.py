"""Methods for the tests of runs, named as ``impostors.py:NAME``: an honest one and every kind of nuisance."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from gradmark import gradient_method, vector_problem

CALLS = []
reverse = gradient_method(family="reverse", exact=True, evaluations=lambda size: 1)


@vector_problem(start=lambda random, size: random.normal(size=size), gradient=lambda xp, x: 2 * x)
def sphere(xp, x):
    """The sum of squares."""
    return xp.sum(x * x, axis=-1)


def of_sphere(parameters):
    return {"x": 2 * parameters["x"]}


@reverse
def honest(problem, parameters, seed, tag=0):
    """The gradient; `tag` makes as many different cases of it as one likes."""
    problem.loss(parameters)
    return of_sphere(parameters)


@reverse
def zeros(problem, parameters, seed):
    return {"x": np.zeros_like(parameters["x"])}


@reverse
def infinite(problem, parameters, seed):
    return {"x": parameters["x"] * np.inf}


@reverse
def raises(problem, parameters, seed):
    raise ZeroDivisionError("it divides by nothing\nand says so on two lines")


@reverse
def raises_later(problem, parameters, seed):
    """Well behaved until it is timed."""
    CALLS.append(seed)
    if len(CALLS) > 3:
        raise RuntimeError("only three calls are free")
    return of_sphere(parameters)


@reverse
def no_memory(problem, parameters, seed):
    return {"x": np.empty(10**14)}


@reverse
def leaves(problem, parameters, seed):
    sys.exit("I am leaving")


@reverse
def crashes(problem, parameters, seed):
    os.kill(os.getpid(), signal.SIGSEGV)


@reverse
def is_killed(problem, parameters, seed):
    os.kill(os.getpid(), signal.SIGKILL)


@reverse
def vanishes(problem, parameters, seed):
    os._exit(3)


@reverse
def hangs(problem, parameters, seed, pid_file=""):
    if pid_file:
        Path(pid_file).write_text(str(os.getpid()))
    time.sleep(3600)


@reverse
def tells(problem, parameters, seed, path=""):
    """Write down where it runs."""
    cpus = len(os.sched_getaffinity(0))
    Path(path).write_text(json.dumps({"variables": dict(os.environ), "cpus": cpus}))
    return of_sphere(parameters)


@reverse
def prints(problem, parameters, seed):
    """What it prints looks like an answer of a worker."""
    print('{"event": "finished"}', flush=True)
    os.write(1, b'{"event": "records", "lines": ["nonsense"]}\n')
    sys.stderr.write("and it complains\n")
    return of_sphere(parameters)


@reverse
def writes_into_parameters(problem, parameters, seed):
    parameters["x"] *= 0.5
    return of_sphere(parameters)


@reverse
def misshapen(problem, parameters, seed):
    return {"x": np.zeros(parameters["x"].shape[0] + 1)}


@gradient_method(family="finite-difference", exact=True, evaluations=lambda size: size)
def slow(problem, parameters, seed, seconds_per_parameter=0.1, log=""):
    """As slow as it is long; every call is a line in `log`."""
    if log:
        with Path(log).open("a") as file:
            file.write("called\n")
    time.sleep(seconds_per_parameter * parameters["x"].shape[0])
    return of_sphere(parameters)


@gradient_method(family="finite-difference", exact=True, evaluations=lambda size: 1e15)
def endless(problem, parameters, seed):
    """It says itself that it never ends."""
    raise AssertionError("it must not be called")


@gradient_method(family="evolution", samples="samples", variance_factor=lambda size: float(size))
def noisy(problem, parameters, seed, samples=4):
    """The gradient with normal noise of variance |g|^2 / samples in total."""
    g = 2 * parameters["x"]
    noise = np.random.default_rng(seed).normal(size=(samples, len(g))).mean(axis=0)
    return {"x": g + noise * np.linalg.norm(g) / len(g) ** 0.5}


not_a_method = 3
