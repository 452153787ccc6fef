"""The program run whole under Pulumi's mocks: every registration recorded, nothing made."""

import asyncio
import contextlib
import json
import runpy
import warnings
from pathlib import Path

import pulumi
from pulumi.runtime import mocks, settings, stack

with warnings.catch_warnings():
    # The package warns of functions of its own as it imports them.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pulumi_gcp import monitoring, storage

    LOADED = (monitoring.AlertPolicy, storage.BucketIAMMember)

PROGRAM = Path(__file__).parents[4] / "infra" / "__main__.py"
IMAGE = "europe-west1-docker.pkg.dev/shipway-staging/loan-decisions/app@sha256:" + "a" * 64
RELEASE = {"image": IMAGE, "commit": "c" * 40, "model": "d" * 64, "data": "e" * 64}


class Recorder(pulumi.runtime.Mocks):
    """Answers as Google would, as far as the program looks."""

    def __init__(self, stacks):
        self.stacks = stacks
        self.resources = {}
        self.requests = {}
        """By name and type, what was sent to the engine: its options are there."""

    def new_resource(self, args):
        self.resources[args.name, args.typ] = args.inputs
        if args.typ == "pulumi:pulumi:StackReference":
            name = args.inputs["name"]
            return name, {"name": name, "outputs": self.stacks[name], "secretOutputNames": []}
        outputs = dict(args.inputs)
        if args.typ == "gcp:cloudrunv2/service:Service":
            outputs["uri"] = f"https://{args.inputs['name']}.run.app"
        if args.typ == "gcp:serviceaccount/account:Account":
            outputs["email"] = f"{args.inputs['accountId']}@{args.inputs['project']}.iam.gserviceaccount.com"
            outputs["member"] = f"serviceAccount:{outputs['email']}"
            outputs["name"] = f"projects/{args.inputs['project']}/serviceAccounts/{outputs['email']}"
        if args.typ == "gcp:secretmanager/secret:Secret":
            return f"projects/{args.inputs['project']}/secrets/{args.inputs['secretId']}", outputs
        if args.typ == "gcp:iam/workloadIdentityPool:WorkloadIdentityPool":
            pool = args.inputs["workloadIdentityPoolId"]
            outputs["name"] = f"projects/123456789012/locations/global/workloadIdentityPools/{pool}"
        return args.resource_id or f"{args.name}-id", outputs

    def call(self, args):
        if args.token == "pulumi:pulumi:readStackOutputs":
            return {"name": args.args["name"], "outputs": self.stacks.get(args.args["name"], {})}
        assert args.token == "gcp:organizations/getProject:getProject", args.token
        return {"number": "123456789012", "projectId": args.args["projectId"]}

    def of(self, kind):
        """Inputs by name of all resources of a type, which may be given by its last part."""
        return {name: inputs for (name, typ), inputs in self.resources.items() if typ.split(":")[-1] == kind}


class Monitor(mocks.MockMonitor):
    """The mocks' engine, which remembers requests as they came."""

    def RegisterResource(self, request):  # noqa: N802  # gRPC's name
        self.mocks.requests[request.name, request.type] = request
        with own_loop():
            return super().RegisterResource(request)

    def ReadResource(self, request):  # noqa: N802  # gRPC's name
        with own_loop():
            return super().ReadResource(request)

    def Invoke(self, request):  # noqa: N802  # gRPC's name
        with own_loop():
            return super().Invoke(request)


@contextlib.contextmanager
def own_loop():
    """The mocks make an event loop for each thread and leave it open: here is one that is closed."""
    loop = asyncio.new_event_loop()
    # A program that fails leaves outputs behind that nobody asks for any more.
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def run(environment, config=(), stacks=(), program=None):
    """The resources that the program registers, and the stack's outputs. Raises what the program raises."""
    recorder = Recorder(dict(stacks))
    values = {"gcp:project": f"shipway-{environment}"}
    for key, value in dict(config).items():
        values[f"shipway:{key}"] = value if isinstance(value, str) else json.dumps(value)
    body = program or (lambda: runpy.run_path(str(PROGRAM), run_name="__main__"))
    outputs = {}

    def main():
        body()
        outputs.update(settings.get_root_resource().outputs)

    async def resolve():
        return {name: await pulumi.Output.from_input(value).future() for name, value in outputs.items()}

    with own_loop() as loop:
        settings.SETTINGS.rpc_manager.clear()
        settings.SETTINGS.outputs.clear()
        settings.set_root_resource(None)
        mocks.set_mocks(
            recorder,
            project="shipway",
            stack=environment,
            organization="organization",
            monitor=Monitor(recorder),
        )
        # The mocks' own root: the program gets one of its own, as it does from an engine.
        settings.set_root_resource(None)
        pulumi.runtime.set_all_config(values)
        try:
            loop.run_until_complete(stack.run_in_stack(main))
            return recorder, loop.run_until_complete(resolve())
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
