"""What a person asks for is turned into the stages that run."""

import pytest

from ci.graph import BadGraph, Graph, Stage, UnknownStage


def stage(name, *needs, default=True):
    return Stage(name, f"does {name}", f"nowhere:{name}", needs, default)


GRAPH = Graph(
    [
        stage("smoke", "build"),
        stage("build", "train"),
        stage("lint"),
        stage("train"),
        stage("extra", default=False),
    ]
)


def names(plan):
    return [each.name for each in plan.run]


def test_stages_are_ordered_so_that_needs_come_first():
    assert [each.name for each in GRAPH] == ["lint", "train", "build", "smoke", "extra"]


def test_with_no_names_every_default_stage_runs():
    plan = GRAPH.plan()
    assert names(plan) == ["lint", "train", "build", "smoke"]
    assert plan.left_out == {"extra": "not asked for"}


def test_a_named_stage_brings_all_that_it_needs():
    assert names(GRAPH.plan(["smoke"])) == ["train", "build", "smoke"]


def test_only_runs_a_stage_without_what_it_needs():
    plan = GRAPH.plan(only=["build"])
    assert names(plan) == ["build"]
    assert plan.needs(plan.run[0]) == ()


def test_a_skipped_stage_is_left_out_and_no_longer_waited_for():
    plan = GRAPH.plan(skip=["train"])
    assert names(plan) == ["lint", "build", "smoke"]
    assert plan.left_out["train"] == "skipped, as asked"
    assert plan.needs(GRAPH["build"]) == ()


@pytest.mark.parametrize("how", [{"names": ["biuld"]}, {"only": ["biuld"]}, {"skip": ["biuld"]}])
def test_an_unknown_stage_is_named_with_the_nearest_one(how):
    with pytest.raises(UnknownStage, match=r"no stage 'biuld'\. Did you mean build\? .*lint, train, build"):
        GRAPH.plan(**how)


def test_an_unlike_name_gets_the_list_without_a_guess():
    with pytest.raises(UnknownStage, match=r"no stage 'zzz'\. The stages are"):
        GRAPH.plan(["zzz"])


@pytest.mark.parametrize(
    ("stages", "problem"),
    [
        ([stage("a", "b"), stage("b", "a")], "in a circle"),
        ([stage("a", "nobody")], "needs nobody, which is not a stage"),
        ([stage("a"), stage("a")], "same name"),
    ],
)
def test_a_graph_that_cannot_be_run_is_refused(stages, problem):
    with pytest.raises(BadGraph, match=problem):
        Graph(stages)
