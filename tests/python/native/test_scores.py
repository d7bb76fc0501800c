# SPDX-License-Identifier: Apache-2.0
"""Losses, metrics and schedules on tensors of one's own."""

import paribus
import pytest
import torch


@pytest.fixture
def scores():
    torch.manual_seed(0)
    return torch.randn(32, 5, requires_grad=True), torch.randint(0, 5, (32,))


def test_a_loss_is_that_of_torch_with_its_gradient(scores):
    output, target = scores
    own = paribus.loss.CrossEntropy()(output, target)
    (gradient,) = torch.autograd.grad(own, output)
    theirs = torch.nn.functional.cross_entropy(output, target)
    assert torch.equal(own, theirs)
    assert torch.equal(gradient, torch.autograd.grad(theirs, output)[0])


def test_a_focal_loss_of_no_focus_is_the_cross_entropy(scores):
    plain = torch.nn.functional.cross_entropy(*scores)
    torch.testing.assert_close(paribus.loss.Focal(gamma=0)(*scores), plain)
    assert paribus.loss.Focal(gamma=2)(*scores) < plain


def test_values_of_several_outputs(scores):
    """The first of them is what is scored."""
    output, target = scores
    loss = paribus.loss.MSE()
    values = torch.randn(32, 5)
    assert torch.equal(loss((output, output * 2), values), loss(output, values))


def test_a_metric_sums_over_batches(scores):
    output, target = scores
    metric = paribus.metric.Accuracy()
    for rows in (slice(0, 7), slice(7, 32)):
        metric.update(output[rows], target[rows])
    expected = (output.argmax(1) == target).double().mean().item()
    assert metric.value() == expected
    assert (metric.goal, metric.unit) == ("maximize", "1")
    metric.reset()
    metric.update(output, output.argmax(1))
    assert metric.value() == 1.0


def test_every_metric_of_classes_is_one_number_whatever_the_batches(scores):
    for name in ("F1", "Precision", "Recall", "TopK", "Auroc"):
        whole, parts = getattr(paribus.metric, name)(), getattr(paribus.metric, name)()
        two = (scores[0][:, :2], scores[1] % 2) if name == "Auroc" else scores
        whole.update(*two)
        for i in range(0, 32, 8):
            parts.update(two[0][i : i + 8], two[1][i : i + 8])
        assert whole.value() == parts.value(), name


def test_the_mean_loss_wants_the_loss(scores):
    metric = paribus.metric.Loss()
    metric.update(*scores, loss=torch.tensor(2.0))
    assert metric.value() == 2.0
    with pytest.raises(paribus.ParibusError, match="metric/loss"):
        metric.update(*scores)


def test_a_schedule_is_a_function_of_progress():
    linear = paribus.schedule.Linear(**{"from_": 1.0, "to": 0.0})
    assert [linear.at(i / 4, inclusive=i / 4) for i in range(5)] == [1.0, 0.75, 0.5, 0.25, 0.0]
    cycle = paribus.schedule.OneCycle(max=0.1)
    values = [cycle.at(i / 100) for i in range(100)]
    assert max(values) == pytest.approx(0.1) and values[0] < 0.01 and values[-1] < 0.001


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda o, t: paribus.loss.Focal(gamma=-1)(o, t), "loss/focal: 'gamma' got -1"),
        (lambda o, t: paribus.loss.Focal()(o, t[:5]), r"loss/focal: .* got \[32, 5\] and Long \[5\]"),
        (lambda o, t: paribus.loss.Focal()(3.0, t), "the output is float, expected a tensor"),
        (lambda o, t: paribus.loss.Focal()(o, ()), "there is no target"),
        (lambda o, t: paribus.metric.F1().update(o, [1, 2]), "the target is int, expected a tensor"),
        (lambda o, t: paribus.schedule.OneCycle(mx=1), "unknown parameter 'mx'; did you mean 'max'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(scores, call, message):
    with pytest.raises((paribus.ParibusError, TypeError, ValueError), match=message):
        call(*scores)
