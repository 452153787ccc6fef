"""Run as a script: a fleet and a front proxy in a process of their own, which does as it is told.

Commands come pickled on standard input as (number, name, arguments), answers go out as (number, answer).
"""

import asyncio
import pickle
import sys
import threading
from pathlib import Path

from ci.engine.images import Images
from ci.engine.sandbox import enter
from ci.engine.store.blobs import Blobs
from infra.local.runtime.fleet import SandboxFleet, Shop
from infra.local.traffic import FrontProxy


class Stage:
    def __init__(self, state, scaling, limits, outward):
        blobs = Blobs(state / "blobs")
        self.entries = []
        self.fleet = SandboxFleet(
            state,
            Shop(Images(state, blobs), blobs),
            self.entries.append,
            number=lambda _: "123",
            scaling=scaling,
            outward=outward,
        )
        self.front = FrontProxy(self.fleet, self.entries.append, limits=limits)

    async def do(self, name, arguments):
        if name == "entries":
            return [(e.resource, e.stream, e.text, e.severity, e.payload, e.trace) for e in self.entries]
        if name == "jwks":
            return self.fleet.identity.jwks()
        if name == "account_of":
            return self.fleet.identity.account_of(*arguments)
        if name == "task":
            said = []
            code = await self.fleet.run_task(*arguments, on_log=said.append)
            return code, [(entry.stream, entry.text) for entry in said]
        if name == "forget":
            return self.entries.clear()
        target = self.front if hasattr(self.front, name) else self.fleet
        result = getattr(target, name)(*arguments)
        return await result if asyncio.iscoroutine(result) else result


async def main(state, settings, output):
    stage = Stage(state, *settings)
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    tasks = set()

    async def one(number, name, arguments):
        try:
            answer = await stage.do(name, arguments)
        except Exception as error:  # noqa: BLE001  told to the test
            answer = error
        pickle.dump((number, answer), output)
        output.flush()

    def begin(command):
        task = loop.create_task(one(*command))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def read():
        try:
            while True:
                loop.call_soon_threadsafe(begin, pickle.load(sys.stdin.buffer))
        except EOFError:
            loop.call_soon_threadsafe(done.set)

    async with stage.fleet.working(), stage.front.listening():
        await stage.fleet.publish(stage.front.port)
        threading.Thread(target=read, daemon=True).start()
        pickle.dump((0, stage.front.port), output)
        output.flush()
        await done.wait()


if __name__ == "__main__":
    enter()
    settings = pickle.load(sys.stdin.buffer)
    asyncio.run(main(Path(sys.argv[1]), settings, sys.stdout.buffer))
