"""A method asked for one quantity: prepared once, and called along directions."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gradmark.arrays import Array
from gradmark.claims import Want
from gradmark.judging.hearing import Answer, Hearing, MethodError
from gradmark.judging.places.sites import Site
from gradmark.judging.process import watch
from gradmark.judging.verdict import Evidence, Finding, Status
from gradmark.method import Estimate, Prepared
from gradmark.quantities import DIRECTED, named_arrays, shapes_of
from gradmark.random import generator

NAME = "quantities"


@dataclass(frozen=True)
class Question:
    """`want` of the method and problem of `hearing`."""

    hearing: Hearing
    want: Want

    @cached_property
    def prepared(self) -> Prepared:
        """The method bound to the problem for this quantity."""
        with watch.calling(self.hearing.where):
            return self.hearing.method.prepare(self.hearing.problem, self.want)

    def declined(self) -> str | None:
        """The method's own reason why it does not compute this here. Raises `MethodError`."""
        try:
            with watch.calling(self.hearing.where):
                return self.hearing.method.supports(self.hearing.problem, self.want)
        except Exception as error:  # a method may raise anything
            raise MethodError(error, self.hearing.where, self.hearing.dtype) from error

    def call(self, site: Site, direction: Any = None) -> Answer:
        """Call it at a place; the answer's `gradient` holds the arrays of the result by one name each."""

        def flat(parameters: Any, seed: int, *, draw: Any = None) -> Estimate:
            estimate = self.prepared(parameters, seed, draw=draw, direction=direction)
            return replace(estimate, result=named_arrays(estimate.result))

        hearing = self.hearing
        return hearing.call(site.parameters, hearing.seed, site.draw, prepared=flat)  # type: ignore[arg-type]

    def shapes(self, site: Site) -> dict[str, tuple[int, ...]]:
        """The shapes of the arrays that an answer has."""
        return shapes_of(self.hearing.problem, self.want, self.outputs_shape(site))

    def outputs_shape(self, site: Site) -> tuple[int, ...]:
        """The shape of the outputs at a place."""
        return tuple(self.hearing.problem.outputs(site.parameters, site.draw).shape)

    def direction(self, site: Site, number: int) -> Any:
        """A random direction of the form that the quantity takes, another for each number; None for none."""
        if self.want not in DIRECTED:
            return None
        random, arrays = generator(self.hearing.seed, "judge", 20, number), self.hearing.problem.arrays

        def drawn(shape: tuple[int, ...]) -> Array:
            return arrays.array(random.choice([-1.0, 1.0], shape) * random.uniform(0.5, 1.5, shape))

        if self.want == "vjp":
            return drawn(self.outputs_shape(site))
        return {name: drawn(tuple(x.shape)) for name, x in self.hearing.problem.parameters.items()}

    def said(
        self, part: str, status: Status, reason: str, *answers: Answer, where: str = "", **more: Any
    ) -> Finding:
        """A finding about a part of this quantity, with what the `answers` it rests on have cost."""
        return Finding(
            f"{NAME}.{self.want}.{part}",
            status,
            reason,
            where=f"{self.hearing.where}, {where}" if where else self.hearing.where,
            dtype=self.hearing.dtype,
            evaluations=sum(answer.work.evaluations for answer in answers),
            seconds=sum(answer.seconds for answer in answers),
            **more,
        )

    def verdict_on(
        self, part: str, fault: str | None, kept: str, *answers: Answer, evidence: Evidence | None = None
    ) -> Finding:
        """Failed with the `fault` where there is one, else passed: `kept` says what was seen."""
        status: Status = "passed" if fault is None else "failed"
        return self.said(part, status, fault or kept, *answers, evidence=evidence)
