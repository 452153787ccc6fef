"""Has others greet."""

import dagger
from dagger import HiMood, dag, function, object_type


@object_type
class Caller:
    @function
    async def call(self) -> list[str]:
        hi = dag.hi(greeting="ho")
        people = await hi.people(["ann", "bob"])
        return [
            await hi.greet(name="you", mood=HiMood.BAD),
            *[await each.shout() for each in people],
            await hi.name_of(people[0]),
            await hi.file().contents(),
        ]

    @function
    async def fail(self) -> str:
        try:
            return await dag.hi().fail()
        except dagger.QueryError as error:
            return f"caught: {error}"
