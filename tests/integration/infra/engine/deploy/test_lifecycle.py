"""The life of resources: made once, left alone, changed, replaced, deleted; each in its order."""

TWO = """
a = Thing("a", value=os.environ.get("VALUE", "x"), key=mode)
b = Thing("b", value=a.shout)
c = Thing("c", Opts(depends_on=[b]))
pulumi.export("said", b.shout)
"""


async def test_a_preview_foretells_and_does_nothing(stack):
    stack.program(TWO)
    outcome = await stack.run("preview")
    assert outcome.result == "succeeded"
    assert stack.counted(outcome) == {"create": 4}
    assert stack.asked() == []


async def test_an_update_makes_what_is_missing_after_what_it_depends_on(stack):
    stack.program(TWO)
    outcome = await stack.up()
    assert stack.counted(outcome) == {"create": 4}
    assert stack.asked() == ["create a", "create b", "create c"]
    assert stack.names() == ["shop-dev", "a", "b", "c"]
    assert stack.resource("shop-dev").outputs == {"said": "X"}
    assert stack.resource("b").property_dependencies["value"] == (stack.resource("a").urn,)
    assert stack.resource("c").dependencies == (stack.resource("b").urn,)
    assert [kind for kind, name in stack.journal.begun if name == "a"] == ["creating"]
    assert stack.journal.pending == []


async def test_nothing_is_done_where_nothing_has_changed(stack):
    stack.program(TWO)
    await stack.up()
    before = stack.snapshot.resources
    stack.asked()
    outcome = await stack.up()
    assert stack.counted(outcome) == {"same": 4}
    assert stack.asked() == []
    assert stack.journal.begun == []
    assert sorted(stack.snapshot.resources, key=lambda each: each.urn) == sorted(
        before, key=lambda each: each.urn
    )


async def test_a_change_updates_and_what_depends_on_it_follows(stack, monkeypatch):
    stack.program(TWO)
    await stack.up()
    stack.asked()
    monkeypatch.setenv("VALUE", "y")
    outcome = await stack.up()
    assert stack.counted(outcome) == {"same": 2, "update": 2}
    assert stack.asked() == ["update a", "update b"]
    assert stack.resource("shop-dev").outputs == {"said": "Y"}


async def test_a_replacement_is_there_before_the_old_one_goes(stack):
    stack.program(TWO)
    await stack.up()
    stack.asked()
    outcome = await stack.up(mode="other")
    assert stack.counted(outcome) == {"same": 3, "replace": 1}
    assert stack.asked() == ["create a", "delete a"]


async def test_deleted_before_it_is_replaced_what_cannot_be_without_it_goes_first(stack):
    stack.program("""
        a = Thing("a", Opts(delete_before_replace=True), key=mode)
        b = Thing("b", key=a.id)
        c = Thing("c", Opts(parent=b), value=b.id)
    """)
    await stack.up()
    stack.asked()
    outcome = await stack.up(mode="other")
    assert stack.counted(outcome) == {"same": 2, "replace": 2}
    assert stack.asked() == ["delete b", "delete a", "create a", "create b"]


async def test_what_the_program_drops_is_deleted_last_and_dependents_first(stack):
    stack.program("""
        if mode == "":
            a = Thing("a")
            b = Thing("b", value=a.shout)
        Thing("late", value=mode)
    """)
    await stack.up()
    stack.asked()
    outcome = await stack.up(mode="without")
    assert stack.counted(outcome) == {"same": 1, "update": 1, "delete": 2}
    assert stack.asked() == ["update late", "delete b", "delete a"]
    assert stack.names() == ["shop-dev", "late"]


async def test_destroy_leaves_nothing(stack):
    stack.program(TWO)
    await stack.up()
    stack.asked()
    outcome = await stack.run("destroy")
    assert stack.counted(outcome) == {"delete": 4}
    assert stack.asked() == ["delete c", "delete b", "delete a"]
    assert stack.snapshot.resources == ()


async def test_a_refresh_takes_out_what_is_gone_and_the_next_update_makes_it_again(stack):
    stack.program(TWO)
    await stack.up()
    (stack.folder / "log.gone-b").touch()
    outcome = await stack.run("refresh")
    assert stack.counted(outcome) == {"same": 3, "delete": 1}
    assert stack.names() == ["shop-dev", "a", "c"]
    assert stack.resource("c").dependencies == ()
    stack.asked()
    (stack.folder / "log.gone-b").unlink()
    assert stack.counted(await stack.up()) == {"same": 3, "create": 1}
    assert stack.asked() == ["create b"]


async def test_independent_resources_are_made_side_by_side(stack):
    stack.program("""
        import time
        class Slow(ResourceProvider):
            def create(self, props):
                note("begin", props["name"])
                while len(open(log).read().splitlines()) < 3:
                    time.sleep(0.01)
                return CreateResult("x", props)
        for name in "abc":
            Plain(Slow(), name, {"name": name})
    """)
    outcome = await stack.up()
    assert outcome.result == "succeeded"
    assert sorted(stack.asked()) == ["begin a", "begin b", "begin c"]


async def test_a_destroy_runs_the_program_for_its_hooks_if_asked(stack):
    stack.program("""
        def hook(args):
            note("hook", args.name)
        before = pulumi.ResourceHook("before", hook)
        Thing("a", Opts(hooks=pulumi.ResourceHookBinding(before_delete=[before])))
        if mode == "more": Thing("never")
    """)
    await stack.up()
    stack.asked()
    assert (await stack.run("destroy")).result == "failed"
    assert "You must run with the `--run-program` flag" in stack.said()
    outcome = await stack.run("destroy", run_program=True, mode="more")
    assert stack.counted(outcome) == {"delete": 2}
    assert stack.asked() == ["hook a", "delete a"]
    assert stack.snapshot.resources == ()
