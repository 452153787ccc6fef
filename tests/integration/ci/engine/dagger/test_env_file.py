"""EnvFile, as Dagger's own integration tests (core/integration/envfile_test.go) have it."""

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]

TEXT = """animal=dog
export message=hello, nice ${animal}
quoted="hello, nice '$animal' \\"and\\" more"
single='hello, $animal'

empty=
"""


async def values(env, **options) -> dict[str, str]:
    """The variables of a file."""
    return {await each.name(): await each.value() for each in await env.variables(**options)}


async def refused(awaitable) -> str:
    """The message that something asked for is refused with."""
    with pytest.raises(dagger.QueryError) as problem:
        await awaitable
    return str(problem.value)


async def test_a_file_is_read_and_its_values_expanded(dag):
    env = dag.file(".env", TEXT).as_env_file()
    assert await values(env) == {
        "animal": "dog",
        "message": "hello, nice dog",
        "quoted": "hello, nice 'dog' \"and\" more",
        "single": "hello, $animal",
        "empty": "",
    }
    assert (await values(env, raw=True))["message"] == "hello, nice ${animal}"
    assert await env.get("single", raw=True) == "'hello, $animal'"


async def test_variables_are_set_replaced_and_removed(dag):
    env = dag.env_file().with_variable("FOO", "bar").with_variable("FOO", "newbar").with_variable("A", "1")
    assert await env.get("FOO") == "newbar"
    assert [await env.exists(name) for name in ("FOO", "NOPE")] == [True, False]
    assert await env.get("NOPE") == ""
    assert await env.without_variable("FOO").as_file().contents() == "A=1\n"
    assert await env.as_file().name() == ".env"
    assert await env.as_file().contents() == "FOO=newbar\nA=1\n"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("lots of (weird) characters &^", "lots of (weird) characters &^"),
        ("spaces   stay", "spaces   stay"),
        ("$animal   man", "dog man"),
        ("${animal}man", "dogman"),
        ('"  $animal  "', "  dog  "),
        ("'$animal'", "$animal"),
        ("a\\ \\$b", "a $b"),
        ("${none:-of ${animal}s}", "of dogs"),
        ("${animal:+yes}${none:+no}", "yes"),
        ("100$", "100$"),
        ('["ga", "bu", 42]', "[ga, bu, 42]"),
        ('{"name": "John Wick", "age": 58}', "{name: John Wick, age: 58}"),
        ("$animal # comment", "dog"),
    ],
)
async def test_a_value_is_read_as_a_shell_reads_words(dag, written, value):
    env = dag.env_file().with_variable("animal", "dog").with_variable("x", written)
    assert await env.get("x") == value


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("$NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE: unbound variable"),
        ("$(echo hello)", "command substitution"),
        ("`echo hello`", "command substitution"),
        ('"open', "without closing quote"),
        ("'open", "without closing quote"),
        ("${open", "without matching"),
        ("$x", "x: x: unbound variable"),
        ("${animal:?}${none:?gone}", "none: gone"),
        ("'a' & b", "parse error"),
    ],
)
async def test_a_value_that_cannot_be_had_is_refused_by_name(dag, written, reason):
    env = dag.env_file().with_variable("animal", "dog").with_variable("x", written)
    message = await refused(env.get("x"))
    assert reason in message
    assert await env.get("x", raw=True) == written


async def test_variables_of_the_host_may_be_referred_to(dag):
    env = dag.env_file().with_variable("x", "it came $ENGINE_TEST_SECRET")
    assert await env.get("x") == "it came from-the-environment"


@pytest.mark.parametrize("prefix", ["my_app", "my-app", "myApp", "my_app_", "MyApp"])
async def test_a_namespace_is_the_variables_of_a_prefix_in_any_case(dag, prefix):
    env = dag.env_file()
    for name in ("my_app_token", "myApp_name", "MY_aPp_URL", "foo", "my_application"):
        env = env.with_variable(name, f"${{foo}}-{name}" if name != "foo" else "bar")
    assert await values(env.namespace(prefix)) == {
        "token": "bar-my_app_token",
        "name": "bar-myApp_name",
        "URL": "bar-MY_aPp_URL",
    }
