"""What crosses between stacks, providers and programs: references, random values, commands, plugins."""

import os
import sys

import pytest

from infra.engine.deploy.contract import Program
from infra.engine.deploy.errors import DeploymentError
from infra.engine.protocol.program.python import Interpreter
from infra.engine.values import Secret


class Neighbours:
    """One other stack."""

    async def outputs(self, name):
        if name != "organization/net/dev":
            raise LookupError(f'unknown stack "{name}"')
        return {"url": "http://x", "token": Secret("t0ken")}

    async def resource_outputs(self, name):
        raise LookupError(name)


async def test_a_stack_reference_reads_outputs_and_keeps_secrets(stack):
    stack.program("""
        net = pulumi.StackReference("organization/net/dev")
        pulumi.export("url", net.require_output("url"))
        pulumi.export("token", net.get_output("token"))
    """)
    assert (await stack.up(stacks=Neighbours())).result == "succeeded"
    assert stack.resource("shop-dev").outputs == {"url": "http://x", "token": Secret("t0ken")}
    assert stack.resource("organization/net/dev").external
    assert stack.counted(await stack.run("destroy")) == {"discard": 1, "delete": 1}


async def test_a_reference_to_no_stack_is_told(stack):
    stack.program('pulumi.StackReference("organization/none/dev")\n')
    assert (await stack.up(stacks=Neighbours())).result == "failed"
    assert 'unknown stack "organization/none/dev"' in stack.said()


async def test_random_values_are_made_once_and_anew_when_their_keepers_change(stack):
    pytest.importorskip("pulumi_random", reason="the SDK of the package random is not installed")
    stack.program("""
        import pulumi_random as random
        pet = random.RandomPet("pet", keepers={"mode": mode})
        password = random.RandomPassword("password", length=20, min_numeric=3)
        pulumi.export("pet", pet.id)
    """)
    foretold = await stack.run("preview")
    assert stack.counted(foretold) == {"create": 3}
    await stack.up()
    pet, password = stack.resource("pet"), stack.resource("password").outputs["result"]
    assert isinstance(password, Secret)
    assert len(password.element) == 20
    assert sum(character.isdigit() for character in password.element) >= 3
    assert stack.resource("shop-dev").outputs["pet"] == pet.id
    assert stack.counted(await stack.up()) == {"same": 3}
    assert stack.counted(await stack.up(mode="other")) == {"same": 2, "replace": 1}
    assert stack.resource("pet").id != pet.id
    assert stack.resource("password").outputs["result"] == password


async def test_commands_run_as_their_resource_comes_and_goes(stack):
    pytest.importorskip("pulumi_command", reason="the SDK of the package command is not installed")
    stack.program("""
        from pulumi_command import local
        who = {"WHO": "you"}
        hello = local.Command("hello", create="echo hello $WHO", delete="echo bye >> " + log, environment=who)
        pulumi.export("said", hello.stdout)
        pulumi.export("now", local.run_output(command="printf now").stdout)
    """)
    await stack.up()
    assert stack.resource("shop-dev").outputs == {"said": "hello you", "now": "now"}
    await stack.run("destroy")
    assert stack.asked() == ["bye"]


SERVER = '''\
#!{python}
"""A provider plugin in 40 lines: one kind of resource, one function, a resource that does not come up."""
import sys
from concurrent import futures

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import provider_pb2 as p
from pulumi.runtime.proto import provider_pb2_grpc, status_pb2


class Toy(provider_pb2_grpc.ResourceProviderServicer):
    def CheckConfig(self, request, context):
        return p.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return p.DiffResponse()

    def Configure(self, request, context):
        return p.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request, context):
        return p.CheckResponse(inputs=request.news)

    def Diff(self, request, context):
        changed = request.old_inputs != request.news
        return p.DiffResponse(changes=p.DiffResponse.DIFF_SOME if changed else p.DiffResponse.DIFF_NONE)

    def Create(self, request, context):
        if dict(request.properties).get("sick"):
            reasons = ["probe failed"]
            failed = p.ErrorResourceInitFailed(id="sick", properties=request.properties, reasons=reasons)
            detail = any_pb2.Any()
            detail.Pack(failed)
            status = status_pb2.Status(code=2, message="sick", details=[detail])
            context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
            context.abort(grpc.StatusCode.UNKNOWN, "sick")
        return p.CreateResponse(id="" if request.preview else "toy-1", properties=request.properties)

    def Update(self, request, context):
        return p.UpdateResponse(properties=request.news)

    def Delete(self, request, context):
        return empty_pb2.Empty()

    def Invoke(self, request, context):
        return p.InvokeResponse(**{{"return": request.args}})

    def Cancel(self, request, context):
        return empty_pb2.Empty()


server = grpc.server(futures.ThreadPoolExecutor(4))
provider_pb2_grpc.add_ResourceProviderServicer_to_server(Toy(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A plugin ``toy`` where Pulumi keeps plugins."""
    program = tmp_path / "home" / "plugins" / "resource-toy-v1.2.3" / "pulumi-resource-toy"
    program.parent.mkdir(parents=True)
    program.write_text(SERVER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))


async def test_a_plugin_s_resources_are_served_by_its_binary(stack, plugin):
    stack.program("""
        class Toy(pulumi.CustomResource):
            def __init__(self, name, opts=None, **props):
                super().__init__("toy:index:Toy", name, props, opts)
        Toy("a", Opts(version="1.2.3"), size=1, secret=pulumi.Output.secret("s"))
        echo = pulumi.runtime.invoke("toy:index:echo", {"word": "hi"})
        pulumi.export("echo", echo.value["word"])
    """)
    assert stack.counted(await stack.up()) == {"create": 2}
    toy = stack.resource("a")
    assert (toy.id, toy.outputs) == ("toy-1", {"size": 1, "secret": Secret("s")})
    assert toy.provider.startswith("urn:pulumi:dev::shop::pulumi:providers:toy::default_1_2_3::")
    assert stack.resource("shop-dev").outputs == {"echo": "hi"}
    assert stack.counted(await stack.up()) == {"same": 2}


async def test_a_resource_that_does_not_come_up_is_kept_and_tried_again(stack, plugin):
    stack.program("""
        class Toy(pulumi.CustomResource):
            def __init__(self, name, **props):
                super().__init__("toy:index:Toy", name, props)
        Toy("a", sick=mode == "sick")
    """)
    assert (await stack.up(mode="sick")).result == "failed"
    assert "1 error occurred:\n\t* probe failed" in stack.said()
    assert stack.resource("a").init_errors == ("probe failed",)
    assert stack.counted(await stack.up(mode="well")) == {"same": 1, "update": 1}
    assert stack.resource("a").init_errors == ()


async def test_an_explicit_provider_is_a_resource_of_the_stack(stack, plugin):
    stack.program("""
        toys = pulumi.ProviderResource("toy", "toys", {"region": mode})
        class Toy(pulumi.CustomResource):
            def __init__(self, name, opts=None):
                super().__init__("toy:index:Toy", name, {}, opts)
        class Box(pulumi.ComponentResource):
            def __init__(self):
                super().__init__("shop:index:Box", "box", {}, Opts(providers=[toys]))
                Toy("inside", Opts(parent=self))
        Toy("a", Opts(provider=toys)); Box()
    """)
    await stack.up(mode="here")
    toys = stack.resource("toys")
    assert toys.inputs == {"region": "here"}
    assert stack.resource("a").provider == stack.resource("inside").provider == f"{toys.urn}::{toys.id}"
    assert stack.counted(await stack.up(mode="there")) == {"same": 4, "update": 1}


async def test_what_a_dynamic_provider_prints_is_shown_however_much_it_is(stack):
    stack.program("""
        class Chatty(ResourceProvider):
            def create(self, props):
                print("hello from the provider")
                print("x" * 200_000)
                return CreateResult("x", props)
        Plain(Chatty(), "a", {})
    """)
    assert (await stack.up()).result == "succeeded"
    assert "hello from the provider" in stack.said("info")


async def test_default_providers_can_be_denied(stack, plugin):
    stack.program('pulumi.CustomResource("toy:index:Toy", "a", {})\n')
    outcome = await stack.up(config={"pulumi:disable-default-providers": '["*"]'})
    assert outcome.result == "failed"
    assert "Default provider for 'toy' disabled. 'urn:pulumi:dev::shop::toy:index:Toy::a'" in stack.said()


async def test_configuration_reaches_the_program_and_secrets_stay_secret(stack):
    stack.program("""
        config = pulumi.Config()
        pulumi.export("size", config.require_int("size"))
        pulumi.export("key", config.require_secret("key"))
    """)
    config = {"shop:size": "3", "shop:key": "hush"}
    await stack.up(config=config, secret_config=frozenset({"shop:key"}))
    assert stack.resource("shop-dev").outputs == {"size": 3, "key": Secret("hush")}
    assert "hush" not in str(stack.seen)


async def test_the_program_runs_in_the_virtual_environment_that_the_project_names(stack):
    stack.program("x = 1\n")
    venv = stack.folder / "venv" / "bin"
    venv.mkdir(parents=True)
    with pytest.raises(
        DeploymentError, match="doesn't appear to be a virtual environment; run the following"
    ):
        Interpreter.of(Program("shop", stack.folder, options={"virtualenv": "venv"}))
    (venv / "python").symlink_to(sys.executable)
    interpreter = Interpreter.of(Program("shop", stack.folder, options={"virtualenv": "venv"}))
    assert interpreter.command == (str(venv / "python"),)
    assert interpreter.environment["VIRTUAL_ENV"] == str(venv.parent)
    assert interpreter.environment["PATH"].split(os.pathsep)[0] == str(venv)


async def test_secrets_that_are_shown_are_not_in_the_log(stack):
    from infra.engine.display.events import ResOutputsEvent, to_json

    stack.program('Thing("a", value=pulumi.Output.secret("hush"))')
    await stack.up(show_secrets=True)
    told = [event for event in stack.seen if isinstance(event, ResOutputsEvent)]
    assert any(event.metadata.new.inputs.get("value") == "hush" for event in told)
    assert "hush" not in str([to_json(event, 0, 0) for event in told])
