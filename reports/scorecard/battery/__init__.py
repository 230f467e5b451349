"""The battery: what a checker of gradients must find wrong, and what it must not accuse."""

from reports.scorecard.battery.case import Case


def battery() -> list[Case]:
    """All cases, in the order of the files that hold them; names are unique."""
    from reports.scorecard.battery import (
        awkward_domains,
        awkward_functions,
        awkward_methods,
        awkward_numbers,
        backward,
        contract,
        estimators,
        hidden,
        operations,
        orders,
        smooth,
        softmax,
        torch_functions,
    )

    files = (
        smooth, hidden, backward, softmax, operations, contract, torch_functions, orders, estimators,
        awkward_functions, awkward_numbers, awkward_domains, awkward_methods,
    )  # fmt: skip
    return [case for file in files for case in file.cases()]
