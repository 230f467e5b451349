"""The battery: what a checker of gradients must find wrong, and what it must not accuse.

A `case` is a question and the answers that count as right. Wrong gradients: `smooth` and `hidden` (made by
`faults` from a true one), `backward` (`backward_pieces` exchanged in a `network`), `softmax`, `operations`,
`contract`, `torch_functions`, `orders`, and `estimators` (pieces exchanged in a `strategy`). Correct ones
that look wrong: `awkward_functions`, `awkward_numbers`, `awkward_domains` and `awkward_methods`.
"""

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
