"""`assert_autograd`: right derivatives of torch pass in every dtype, faults of hand-written ones do not."""

import copy

import pytest

from gradmark import UsageError
from gradmark.testing import assert_autograd
from gradmark.testing.torch_structure import put, tensors
from tests.testing.torch_tensors import every_dtype, normal

torch = pytest.importorskip("torch")
nn = torch.nn


class Cube(torch.autograd.Function):
    """x^3 and its derivatives, of which subclasses break one."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad

    @staticmethod
    def jvp(ctx, tangent):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * tangent


class WrongSign(Cube):
    @staticmethod
    def backward(ctx, grad):
        return -Cube.backward(ctx, grad)


class MissingFactor(Cube):
    @staticmethod
    def backward(ctx, grad):
        return Cube.backward(ctx, grad) / 3


class SlightlyOff(Cube):
    @staticmethod
    def backward(ctx, grad):
        return Cube.backward(ctx, grad) * (1 + 1e-6)


class DetachedBranch(Cube):
    """x^2 x, with the derivative of one factor alone."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return x**2 * grad


class ModifiedSaved(Cube):
    """The saved tensor is a view of a buffer that forward goes on to use."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_forward(x)
        kept = x.clone()
        ctx.kept = kept
        result = x**3
        kept.mul_(0.5)
        return result

    @staticmethod
    def backward(ctx, grad):
        return 3 * ctx.kept**2 * grad


class StaleCache(Cube):
    """It keeps the derivative of the first call."""

    kept: dict = {}  # noqa: RUF012

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return StaleCache.kept.setdefault(x.dtype, 3 * x**2) * grad


class WrongInFloat32(Cube):
    @staticmethod
    def backward(ctx, grad):
        found = Cube.backward(ctx, grad)
        return found * (1 + 1e-3) if grad.dtype == torch.float32 else found


class WrongForward(Cube):
    @staticmethod
    def jvp(ctx, tangent):
        return 1.01 * Cube.jvp(ctx, tangent)


class RoughBackward(Cube):
    """It computes in bfloat16 whatever it is given."""

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return (3 * x.bfloat16() ** 2 * grad.bfloat16()).to(grad.dtype)


FAULTS = [WrongSign, MissingFactor, SlightlyOff, DetachedBranch, ModifiedSaved, StaleCache, RoughBackward]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_wrong_backward_is_caught(fault) -> None:
    with pytest.raises(AssertionError, match=r"\Awrong: ") as caught:
        assert_autograd(fault.apply, normal(5))
    assert "X reverse.value" in str(caught.value)
    assert "X forward" not in str(caught.value)


@every_dtype
def test_the_right_one_passes_in_every_dtype(dtype) -> None:
    assert_autograd(Cube.apply, normal(5, dtype=dtype))


@pytest.mark.parametrize("fault", [WrongSign, MissingFactor, DetachedBranch], ids=lambda each: each.__name__)
def test_a_gross_fault_is_caught_in_bfloat16(fault) -> None:
    with pytest.raises(AssertionError, match=r"\Awrong: "):
        assert_autograd(fault.apply, normal(5, dtype=torch.bfloat16))


def test_a_backward_that_is_wrong_in_float32_alone_is_caught_there_alone() -> None:
    assert_autograd(WrongInFloat32.apply, normal(5))
    with pytest.raises(AssertionError, match=r"\Awrong: "):
        assert_autograd(WrongInFloat32.apply, normal(5, dtype=torch.float32))


def test_a_wrong_forward_mode_is_caught_where_the_backward_is_right() -> None:
    with pytest.raises(AssertionError, match=r"\Awrong: ") as caught:
        assert_autograd(WrongForward.apply, normal(5))
    assert "X forward.value" in str(caught.value)
    assert "X reverse" not in str(caught.value)
    assert_autograd(WrongForward.apply, normal(5), forward=False)
    assert_autograd(WrongForward.apply, normal(5), expected_failures={"forward": "known for long"})


class NoForwardMode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return torch.cos(x) * grad


def test_a_function_without_forward_mode_passes_and_says_that_it_was_skipped() -> None:
    check = assert_autograd(NoForwardMode.apply, normal(5))
    (skipped,) = [finding for finding in check.findings if finding.check == "forward"]
    assert skipped.status == "skipped"
    assert "jvp" in skipped.reason


class TransposedWeight(nn.Module):
    """A square layer whose hand-written backward forgets to transpose."""

    class Apply(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.save_for_backward(x, weight)
            return x @ weight.T

        @staticmethod
        def backward(ctx, grad):
            x, weight = ctx.saved_tensors
            return grad @ weight.T, grad.T @ x

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(4, 4, seed=3).detach())

    def forward(self, x):
        return self.Apply.apply(x, self.weight)


def test_the_parameters_and_inputs_of_a_module_are_told_apart() -> None:
    with pytest.raises(AssertionError, match=r"inputs\[0\]"):
        assert_autograd(TransposedWeight(), normal(3, 4))
    # By its weight alone the layer is right.
    assert_autograd(TransposedWeight(), normal(3, 4).detach())


def test_several_outputs_and_nested_inputs() -> None:
    def function(pair, options):
        a, b = pair
        return {"sum": a + options["scale"] * b, "rest": (a * b, torch.argmax(a), 3)}

    a, b = normal(4), normal(4, seed=1)
    assert_autograd(function, (a, b), {"scale": normal(1, seed=2), "words": "unused"})


class WrongSecondOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x), torch.cos(x)

    @staticmethod
    def backward(ctx, first, second):
        (x,) = ctx.saved_tensors
        return torch.cos(x) * first + torch.sin(x) * second


def test_every_output_is_examined() -> None:
    with pytest.raises(AssertionError, match=r"\Awrong: "):
        assert_autograd(WrongSecondOutput.apply, normal(5))


def test_nothing_that_was_given_is_changed() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = copy.deepcopy(module.state_dict())
    x = normal(6, 3, dtype=torch.float32)
    kept, random = x.detach().clone(), torch.random.get_rng_state()
    assert_autograd(module, x, allow_undecided=True)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(x, kept) and x.grad is None
    assert torch.equal(random, torch.random.get_rng_state())


def test_what_cannot_be_differentiated_is_said_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="nothing to differentiate by"):
        assert_autograd(torch.sin, torch.ones(3))
    with pytest.raises(UsageError, match="none of the outputs requires a gradient"):
        assert_autograd(lambda x: x.detach(), normal(3))
    with pytest.raises(UsageError, match=r"cannot be evaluated .* RuntimeError"):
        assert_autograd(lambda x: x @ torch.ones(7, 7), normal(3))
    with pytest.raises(UsageError, match="must be a function of tensors or a module"):
        assert_autograd(3, normal(3))


def test_tensors_are_found_and_put_back() -> None:
    value = (torch.ones(1), {"a": [torch.zeros(2), "word"]})
    found = tensors(value, "inputs")
    assert [eval(name, {"inputs": value}) is found[name] for name in found] == [True, True]
    new = put(value, {"inputs[1]['a'][0]": 3})
    assert (new[0] is value[0], new[1]) == (True, {"a": [3, "word"]})


class StubbornlyNarrow(torch.autograd.Function):
    """Its weights exist in float32 alone, and its backward may be wrong."""

    factor = 1.0

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x) @ torch.ones(5, 2, dtype=torch.float32)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return torch.cos(x) * grad.sum() * StubbornlyNarrow.factor


def test_a_function_that_has_no_float64_is_judged_in_its_own_dtype(monkeypatch) -> None:
    check = assert_autograd(StubbornlyNarrow.apply, normal(5, dtype=torch.float32))
    assert not any("precision" in finding.check for finding in check.findings)
    monkeypatch.setattr(StubbornlyNarrow, "factor", 1.1)
    with pytest.raises(AssertionError, match=r"\A(wrong|undecided): "):
        assert_autograd(StubbornlyNarrow.apply, normal(5, dtype=torch.float32))


def test_a_saturated_layer_in_a_narrow_dtype_is_not_accused() -> None:
    """1 - tanh^2 has lost most of its digits there, as any correct backward has."""
    assert_autograd(torch.tanh, (normal(6) * 2 + 5).detach().float().requires_grad_())


def leaf(dtype=torch.float64):
    return torch.linspace(0.5, 1.5, 3, dtype=dtype).requires_grad_()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"expected_failures": ["reverse"]}, "must map the name of a check to the reason"),
        ({"seconds": "a"}, "`seconds=a` must be a number above 0"),
        ({"seconds": -1}, "`seconds=-1` must be a number above 0"),
        ({"points": [torch.ones(3)]}, "must be a dict with the names of the arrays in `inputs`"),
        ({"points": []}, "`points` holds no point"),
        ({"bounds": (2, 3)}, "hold every entry of `inputs`"),
    ],
)
def test_misuse_is_said_in_the_words_of_the_assertion(options, said) -> None:
    with pytest.raises(UsageError) as caught:
        assert_autograd(torch.tanh, leaf(), **options)
    assert said in str(caught.value) and "`at`" not in str(caught.value)


def test_mixed_dtypes_are_those_of_the_inputs() -> None:
    with pytest.raises(UsageError, match="`inputs` mixes backends, devices or dtypes"):
        assert_autograd(lambda x, y: x * y, leaf(), leaf(torch.float32))


def test_a_generator_of_points_serves_both_modes_and_the_line_of_code_has_the_options() -> None:
    points = ({"inputs[0]": leaf().detach() + shift} for shift in (0.1, 0.2))
    with pytest.raises(AssertionError) as caught:
        assert_autograd(WrongSign.apply, leaf(), points=points, bounds=(0.0, 9.0), digits=3)
    assert "(function, *inputs, seed=0, digits=3, bounds=(0, 9), points=points)" in str(caught.value)
    points = ({"inputs[0]": leaf().detach() + shift} for shift in (0.1, 0.2))
    check = assert_autograd(torch.tanh, leaf(), points=points)
    assert [each.where for each in check.findings if each.check.endswith(".value")].count("points[1]") == 2
