"""What a record says of a method's state and of underflow."""

from collections.abc import Callable

from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.records import Record


def test_a_loss_scale_and_what_underflowed_are_in_the_records(
    run: Callable[..., dict[str, dict[str, Record]]],
) -> None:
    """One row, scaled beyond float16 at first: the gradient at the outputs is at most 1, and the scale ends
    where it is near the largest number, 65504."""
    call = MethodCall("mixed_precision_backprop", {"scale": 2.0**32})
    sizes = {"depth": 24, "width": 8, "batch": 1, "activation": "sigmoid"}
    comparison = Comparison(
        "", "deep_mlp", sizes, (call,), ("error", "work"), backend="torch", dtype="float32"
    )
    found = run(comparison)[call.name]
    work, error = found["passes"].detail, found["error"].detail
    halvings = work["pullback"] - 1
    assert halvings >= 15
    assert work["state"] == {"scale": 2.0 ** (32 - halvings), "good_steps": 1, "skipped": 0, "reason": None}
    first, *_, last = error["arrays"].values()
    assert first["underflowed"] > 0.9 > error["underflowed"] > 0 == last["underflowed"]
    assert first["root_mean_square"] < last["root_mean_square"]
