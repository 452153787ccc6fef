"""Resource options: each does what Pulumi says it does."""

import pytest

from infra.engine.values import Secret


async def test_an_alias_keeps_a_renamed_resource_and_its_children(stack):
    stack.program("""
        class Box(pulumi.ComponentResource):
            def __init__(self, name, opts=None):
                super().__init__("shop:index:" + ("Crate" if mode else "Box"), name, {}, opts)
                Thing(name + "-in", Opts(parent=self))
        if mode == "":
            Thing("old"); Box("box")
        else:
            Thing("new", Opts(aliases=[pulumi.Alias(name="old")]))
            Box("crate", Opts(aliases=[pulumi.Alias(name="box", type_="shop:index:Box")]))
    """)
    await stack.up()
    stack.asked()
    outcome = await stack.up(mode="renamed")
    assert stack.counted(outcome) == {"same": 4}
    assert stack.asked() == []
    assert sorted(stack.names()) == ["crate", "crate-in", "new", "shop-dev"]


async def test_ignored_changes_are_ignored_and_others_can_force_a_replacement(stack):
    stack.program("""
        Thing("ignores", Opts(ignore_changes=["value"]), value=mode)
        Thing("replaces", Opts(replace_on_changes=["value"]), value=mode)
    """)
    await stack.up(mode="1")
    outcome = await stack.up(mode="2")
    assert stack.counted(outcome) == {"same": 2, "update": 1} | {"same": 2, "update": 1}
    assert stack.resource("ignores").inputs["value"] == "1"


async def test_a_protected_resource_is_neither_deleted_nor_replaced(stack):
    stack.program("""
        if mode != "gone": Thing("a", Opts(protect=True), key=mode)
    """)
    await stack.up()
    assert (await stack.up(mode="other")).result == "failed"
    assert (
        'unable to replace resource "urn:pulumi:dev::shop::pulumi-python:dynamic:Resource::a"' in stack.said()
    )
    assert (await stack.up(mode="gone")).result == "failed"
    assert "cannot be deleted\nbecause it is protected" in stack.said()
    assert (await stack.run("destroy")).result == "failed"
    assert "a" in stack.names()


async def test_a_retained_resource_leaves_the_state_and_stays_in_the_cloud(stack):
    stack.program("""
        if mode == "": Thing("kept", Opts(retain_on_delete=True)); Thing("lost")
    """)
    await stack.up()
    stack.asked()
    outcome = await stack.up(mode="gone")
    assert stack.counted(outcome) == {"same": 1, "delete": 2}
    assert stack.asked() == ["delete lost"]


async def test_deleted_with_another_a_resource_is_not_deleted_by_itself(stack):
    stack.program("""
        if mode == "":
            a = Thing("a")
            Thing("b", Opts(deleted_with=a))
    """)
    await stack.up()
    stack.asked()
    await stack.up(mode="gone")
    assert stack.asked() == ["delete a"]


async def test_secrets_stay_secret_from_input_to_output(stack):
    stack.program("""
        a = Thing("a", value=pulumi.Output.secret("pw"))
        b = Thing("b", Opts(additional_secret_outputs=["shout"]), value="open")
        pulumi.export("a", a.value if hasattr(a, "value") else pulumi.Output.secret(1))
        pulumi.export("b", b.shout)
    """)
    await stack.up()
    assert stack.resource("a").inputs["value"] == Secret("pw")
    assert stack.resource("a").outputs["value"] == Secret("pw")
    assert stack.resource("b").outputs["shout"] == Secret("OPEN")
    assert stack.resource("shop-dev").outputs["b"] == Secret("OPEN")
    assert "pw" not in str(stack.seen)


async def test_timeouts_are_kept_in_seconds(stack):
    stack.program("""
        Thing("a", Opts(custom_timeouts=pulumi.CustomTimeouts(create="1h30m", delete="90s")))
    """)
    await stack.up()
    assert stack.resource("a").custom_timeouts == {"create": 5400, "delete": 90}


async def test_transforms_change_what_is_asked_for(stack):
    stack.program("""
        def shout(args):
            if args.name == "a":
                return pulumi.ResourceTransformResult({**args.props, "value": "changed"}, args.opts)
        pulumi.runtime.register_resource_transform(shout)
        Thing("a", value="plain"); Thing("b", value="plain")
    """)
    await stack.up()
    assert stack.resource("a").inputs["value"] == "changed"
    assert stack.resource("b").inputs["value"] == "plain"


async def test_hooks_are_called_around_creation_and_a_failing_one_stops_it(stack):
    stack.program("""
        def hook(args):
            note("hook", args.name)
            if mode == "fail": raise Exception("not today")
        before = pulumi.ResourceHook("before", hook)
        after = pulumi.ResourceHook("after", hook)
        Thing("a", Opts(hooks=pulumi.ResourceHookBinding(before_create=[before], after_create=[after])))
    """)
    assert (await stack.up(mode="fail")).result == "failed"
    assert stack.asked() == ["hook a"]
    assert (await stack.up()).result == "succeeded"
    assert stack.asked() == ["hook a", "create a", "hook a"]


@pytest.mark.parametrize(
    ("option", "made"), [("targets", {"same": 2, "update": 1}), ("excludes", {"same": 2, "update": 1})]
)
async def test_an_operation_is_confined_to_targets_or_away_from_excludes(stack, option, made):
    stack.program("""
        Thing("a", value=mode); Thing("b", value=mode)
    """)
    await stack.up()
    chosen = "a" if option == "targets" else "b"
    urn = stack.resource(chosen).urn
    stack.asked()
    assert stack.counted(await stack.up(mode="2", **{option: (urn,)})) == made
    assert stack.asked() == ["update a"]


async def test_a_target_that_is_nowhere_is_named(stack):
    stack.program('Thing("a")\n')
    await stack.up()
    outcome = await stack.up(targets=("urn:pulumi:dev::shop::x:y:Z::none",))
    assert outcome.result == "failed"
    assert "Target 'urn:pulumi:dev::shop::x:y:Z::none' could not be found in the stack." in stack.said()


async def test_a_resource_can_be_replaced_on_request(stack):
    stack.program('Thing("a")\n')
    await stack.up()
    stack.asked()
    assert stack.counted(await stack.up(replaces=(stack.resource("a").urn,))) == {"same": 1, "replace": 1}
    assert stack.asked() == ["create a", "delete a"]
