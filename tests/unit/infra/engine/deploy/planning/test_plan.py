"""Plans: what was approved is what is done, and nothing else."""

import pytest

from infra.engine.deploy.contract import Op, Plan
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.planning.plan import Constraints, allows
from infra.engine.deploy.registration import Registration
from infra.engine.state.model import Resource
from infra.engine.values import UNKNOWN

URN = "urn:pulumi:dev::shop::a:b:C::c"


def recorded(inputs, op=Op.CREATE):
    constraints = Constraints(None, record=True)
    take(constraints, inputs)
    constraints.step(URN, op)
    return constraints.recorded


def take(constraints, inputs, old=None, **options):
    wanted = Registration("a:b:C", "c", custom=True, properties=inputs, **options)
    new = Resource(urn=URN, type="a:b:C", custom=True, inputs=inputs)
    constraints.goal(wanted, new, old or {}, seed=b"s", fresh=old is None)


@pytest.mark.parametrize(
    ("planned", "op", "fine"),
    [
        (Op.CREATE, Op.CREATE, True),
        (Op.CREATE, Op.SAME, True),
        (Op.REPLACE, Op.UPDATE, True),
        (Op.UPDATE, Op.REPLACE, False),
        (Op.SAME, Op.UPDATE, False),
        (Op.DELETE, Op.SAME, False),
    ],
)
def test_less_than_planned_is_allowed_and_more_is_not(planned, op, fine):
    assert allows(planned, op) is fine


def test_the_planned_wish_and_steps_pass_and_the_seed_is_kept():
    constraints = Constraints(recorded({"a": 1, "u": UNKNOWN}), record=False)
    take(constraints, {"a": 1, "u": "known now"})
    constraints.step(URN, Op.CREATE)
    assert constraints.seed(URN) == b"s"
    assert constraints.unmet([]) == []


def test_another_value_is_refused_and_both_are_shown():
    constraints = Constraints(recorded({"a": 1}), record=False)
    with pytest.raises(DeploymentError, match=r"violates plan: properties changed: \+\+a\[\{1\}!=\{2\}\]"):
        take(constraints, {"a": 2})


def test_another_option_is_refused():
    constraints = Constraints(recorded({}), record=False)
    with pytest.raises(DeploymentError, match=r"protect changed \(expected false\)"):
        take(constraints, {}, protect=True)


def test_a_step_too_many_or_of_another_kind_is_refused():
    constraints = Constraints(recorded({}, Op.SAME), record=False)
    with pytest.raises(
        DeploymentError, match="update is not allowed by the plan: this resource is constrained to same"
    ):
        constraints.step(URN, Op.UPDATE)
    with pytest.raises(DeploymentError, match="no more steps were expected"):
        constraints.step(URN, Op.SAME)
    with pytest.raises(DeploymentError, match="no steps were expected for this resource"):
        constraints.step(URN + "x", Op.CREATE)


def test_a_planned_step_that_was_not_taken_is_told_unless_what_it_deletes_is_gone():
    assert Constraints(recorded({}), record=False).unmet([]) == [URN]
    deleted = Constraints(None, record=True)
    deleted.step(URN, Op.DELETE)
    assert isinstance(deleted.recorded, Plan)
    assert Constraints(deleted.recorded, record=False).unmet([]) == []
    assert Constraints(deleted.recorded, record=False).unmet([URN]) == [URN]
