"""Series of cases over P: one method at one place in one dtype on one scene, from small to large."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from reports.style import family_order

FEWEST_SIZES = 2
"""A series needs this many sizes to be drawn as a line."""

MOST_PANELS = 4


@dataclass(frozen=True)
class Series:
    """The finished cases (sorted by P) of one method that have the quantity asked for."""

    scene: str
    place: str
    dtype: str
    variant: str
    cases: pd.DataFrame

    @property
    def last(self) -> pd.Series:
        """The largest case."""
        return self.cases.iloc[-1]


def series(cases: pd.DataFrame, quantity: str) -> Iterator[Series]:
    """All series of `cases` that have values of `quantity`, families in their usual order."""
    measured = cases[cases[quantity].notna() & (cases[quantity] > 0) & cases["P"].notna()]
    groups = measured.groupby(["scene", "place", "dtype", "variant"], sort=False)
    found = []
    for _, group in groups:
        ordered = group.sort_values("P").drop_duplicates("P", keep="last")
        last = ordered.iloc[-1]
        found.append(Series(last["scene"], last["place"], last["dtype"], last["variant"], ordered))
    yield from sorted(found, key=lambda one: (family_order(one.last["family"]), one.variant))


def lines(cases: pd.DataFrame, quantity: str, pair: tuple[str, str]) -> list[Series]:
    """The series of one (place, dtype); without those of a single size, where others have several."""
    here = [one for one in series(cases, quantity) if (one.place, one.dtype) == pair]
    return [one for one in here if len(one.cases) >= FEWEST_SIZES] or here


def of_several_sizes(cases: pd.DataFrame) -> pd.DataFrame:
    """Without the methods of a scene that were measured at one size alone, where others were at several."""
    sizes = cases.groupby(["scene", "name"])["P"].transform("nunique")
    most = sizes.groupby(cases["scene"]).transform("max")
    return cases[(sizes >= FEWEST_SIZES) | (most < FEWEST_SIZES)]


def scenes(main: pd.DataFrame) -> list[str]:
    """The scenes, the one with most cases first; without those that exist for a depth sweep alone."""
    counts = main.groupby("scene")["case"].count().sort_values(ascending=False, kind="stable")
    sizes = main.groupby("scene")["P"].nunique()
    deep = set(main["scene"][in_depth_sweep(main)])
    return [name for name in counts.index if sizes[name] >= FEWEST_SIZES or name not in deep]


def growing(main: pd.DataFrame, quantity: str) -> list[str]:
    """The scenes in which `quantity` was measured at several sizes."""
    sizes = main[main[quantity].notna()].groupby("scene")["P"].nunique()
    return [name for name in scenes(main) if sizes.get(name, 0) >= FEWEST_SIZES]


def in_depth_sweep(cases: pd.DataFrame) -> pd.Series:
    """For each case whether there are, all else equal, at least three depths."""
    group = ["problem", "alphabet", "variant", "place", "dtype"]
    return cases.groupby(group)["depth"].transform("nunique") >= 3


def panels(cases: pd.DataFrame, quantity: str) -> list[tuple[str, str]]:
    """The (place, dtype) pairs to draw: the `MOST_PANELS` with most data, of one dtype if need be."""
    measured = cases[cases[quantity].notna()]
    counts = measured.groupby(["place", "dtype"])["case"].count()
    pairs = list(counts.sort_values(ascending=False, kind="stable").index)
    if len(pairs) > MOST_PANELS:
        dtype = main_dtype(measured)
        pairs = [pair for pair in pairs if pair[1] == dtype]
    order = list(dict.fromkeys(zip(cases["place"], cases["dtype"], strict=True)))
    return sorted(pairs[:MOST_PANELS], key=order.index)


def main_dtype(cases: pd.DataFrame) -> str:
    """The dtype with most measurements; float32 before others where there are equally many."""
    counts = cases["dtype"].value_counts()
    most = [str(name) for name in counts.index[counts == counts.max()]]
    return "float32" if "float32" in most else most[0]


def main_place(cases: pd.DataFrame) -> str:
    """The place where most families have been measured, and of those the one with most methods."""
    counts = cases.groupby("place", sort=False)[["family", "variant"]].nunique()
    return str(counts.sort_values(["family", "variant"], ascending=False, kind="stable").index[0])


def largest_group(cases: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The cases that share their values of `by` with most others."""
    size = cases.groupby(by)["case"].transform("count")
    first = cases[size == size.max()].iloc[0]
    for name in by:
        cases = cases[cases[name] == first[name]]
    return cases


def reference_size(cases: pd.DataFrame, quantity: str) -> float:
    """The largest P among those at which most methods have `quantity`: where a single number is compared."""
    measured = cases[cases[quantity].notna()]
    methods = measured.groupby("P")["variant"].nunique()
    return float(methods.index[methods == methods.max()].max())
