"""The package ``random``: values made once and kept in the state, as pulumi-random makes them."""

from __future__ import annotations

import base64
import random
import secrets
import string
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.engine.providers.comparison import compared
from infra.engine.providers.contract import (
    Checked,
    Created,
    Diff,
    Failure,
    Found,
    Provider,
    ProviderError,
    Target,
)
from infra.engine.values import UNKNOWN, Properties, Secret, Unknown
from infra.engine.values.compare import contains_unknown

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_ADJECTIVES = """
able active agile amber apt bold brave bright brisk calm careful clean clear clever crisp eager
early equal exact fair fast fine firm fond free fresh gentle glad golden good grand happy honest
keen kind large light live lively lucky main mellow merry mighty modern neat new nimble noble open
patient plain polite prime proper proud quick quiet rapid ready right robust sharp simple smart
smooth solid sound steady stirring strong sunny sure sweet tidy top true upright valid vast vital
warm wise worthy young
""".split()  # noqa: SIM905 - words to read
_NAMES = """
albatross ant antelope badger bass bat bear beaver bee bison boar bobcat buck camel cat cod condor
cow crab crane crow deer dingo dog dolphin dove duck eagle eel elk falcon finch fish fly fox frog
gannet gecko goat goose grouse gull hare hawk hen heron hog horse hound ibex jackal jay kid kite
koala lark lemur lion lizard lynx mackerel mink mole monkey moose moth mouse mule newt octopus orca
osprey otter owl ox panda parrot pig pika pony puma quail rabbit raccoon ram rat raven ray robin
salmon seal shark sheep shrew skunk sloth snail snake sole squid stag stork swan tapir tick tiger
toad trout turkey viper vole walrus wasp whale wolf wombat worm wren yak zebra
""".split()  # noqa: SIM905 - words to read


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of random value: ``make`` answers an id and outputs from inputs with defaults."""

    make: Callable[[Mapping[str, Any]], tuple[str, Properties]]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] | None = None
    outputs: tuple[str, ...] = ("result",)
    secret: tuple[str, ...] = ()


def _id(given: Mapping[str, Any]) -> tuple[str, Properties]:
    raw = secrets.token_bytes(int(given["byteLength"]))
    prefix = given.get("prefix") or ""
    url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return url, {
        "b64Std": prefix + base64.b64encode(raw).decode(),
        "b64Url": prefix + url,
        "dec": prefix + str(int.from_bytes(raw)),
        "hex": prefix + raw.hex(),
    }


def _bytes(given: Mapping[str, Any]) -> tuple[str, Properties]:
    raw = secrets.token_bytes(int(given["length"]))
    encoded = base64.b64encode(raw).decode()
    return "none", {"base64": encoded, "hex": raw.hex()}


def _source(given: Mapping[str, Any]) -> random.Random:
    seed = given.get("seed")
    return random.Random(str(seed)) if seed else secrets.SystemRandom()  # noqa: S311 - the seed is what is asked for


def _integer(given: Mapping[str, Any]) -> tuple[str, Properties]:
    low, high = int(given["min"]), int(given["max"])
    if low > high:
        raise ProviderError(
            f"the minimum ({low}) value needs to be smaller than or equal to maximum ({high})"
        )
    number = _source(given).randint(low, high)
    return str(number), {"result": number}


def _characters(given: Mapping[str, Any]) -> str:
    numeric = given["numeric"] and given.get("number", True)
    special = given.get("overrideSpecial") or _SPECIAL
    classes = [
        (given["special"], int(given["minSpecial"]), special),
        (numeric, int(given["minNumeric"]), string.digits),
        (given["lower"], int(given["minLower"]), string.ascii_lowercase),
        (given["upper"], int(given["minUpper"]), string.ascii_uppercase),
    ]
    length = int(given["length"])
    if sum(least for _, least, _ in classes) > length:
        raise ProviderError(
            f"length ({length}) has to be at least the sum of the minimums of the kinds of characters"
        )
    alphabet = "".join(characters for wanted, _, characters in classes if wanted)
    if not alphabet:
        raise ProviderError("at least one of special, numeric, lower and upper has to be true")
    source = secrets.SystemRandom()
    chosen = [source.choice(characters) for _, least, characters in classes for _ in range(least)]
    chosen += [source.choice(alphabet) for _ in range(length - len(chosen))]
    source.shuffle(chosen)
    return "".join(chosen)


def _string(given: Mapping[str, Any]) -> tuple[str, Properties]:
    text = _characters(given)
    return text, {"result": text}


def _password(given: Mapping[str, Any]) -> tuple[str, Properties]:
    import bcrypt  # only passwords need it

    text = _characters(given)
    # bcrypt takes 72 bytes, and no more.
    digest = bcrypt.hashpw(text.encode()[:72], bcrypt.gensalt(rounds=10)).decode()
    return "none", {"result": Secret(text), "bcryptHash": Secret(digest)}


def _pet(given: Mapping[str, Any]) -> tuple[str, Properties]:
    length = int(given["length"])
    source = secrets.SystemRandom()
    words = [*(source.choice(_ADJECTIVES) for _ in range(length - 1)), source.choice(_NAMES)][-length:]
    name = str(given["separator"]).join([*([given["prefix"]] if given.get("prefix") else []), *words])
    return name, {}


def _shuffle(given: Mapping[str, Any]) -> tuple[str, Properties]:
    inputs: list[Any] = list(given["inputs"])
    count = int(given.get("resultCount") or len(inputs))
    source = _source(given)
    results: list[Any] = []
    while inputs and len(results) < count:
        results += source.sample(inputs, len(inputs))
    return "-", {"results": results[:count]}


def _uuid(_given: Mapping[str, Any]) -> tuple[str, Properties]:
    made = str(uuid.uuid4())
    return made, {"result": made}


def _uuid7(_given: Mapping[str, Any]) -> tuple[str, Properties]:
    """RFC 9562, section 5.7: milliseconds, then random bits."""
    bits = (
        (time.time_ns() // 1_000_000) << 80
        | 7 << 76
        | secrets.randbits(12) << 64
        | 2 << 62
        | secrets.randbits(62)
    )
    made = str(uuid.UUID(int=bits))
    return made, {"result": made}


_TEXT: Mapping[str, Any] = {
    "lower": True,
    "upper": True,
    "numeric": True,
    "number": True,
    "special": True,
    "minLower": 0,
    "minUpper": 0,
    "minNumeric": 0,
    "minSpecial": 0,
}
_KINDS: Mapping[str, _Kind] = {
    "random:index/randomBytes:RandomBytes": _Kind(
        _bytes, ("length",), outputs=("base64", "hex"), secret=("base64", "hex")
    ),
    "random:index/randomId:RandomId": _Kind(_id, ("byteLength",), outputs=("b64Std", "b64Url", "dec", "hex")),
    "random:index/randomInteger:RandomInteger": _Kind(_integer, ("min", "max")),
    "random:index/randomPassword:RandomPassword": _Kind(
        _password, ("length",), _TEXT, ("result", "bcryptHash"), ("result", "bcryptHash")
    ),
    "random:index/randomPet:RandomPet": _Kind(_pet, (), {"length": 2, "separator": "-"}, ()),
    "random:index/randomShuffle:RandomShuffle": _Kind(_shuffle, ("inputs",), outputs=("results",)),
    "random:index/randomString:RandomString": _Kind(_string, ("length",), _TEXT),
    "random:index/randomUuid:RandomUuid": _Kind(_uuid),
    "random:index/randomUuid4:RandomUuid4": _Kind(_uuid),
    "random:index/randomUuid7:RandomUuid7": _Kind(_uuid7),
}


class Random(Provider):
    """Serves random values; any change of what they are made from makes another one."""

    package = "random"
    secrets = True
    previews = True

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        missing = [key for key in _kind(target).required if news.get(key) is None]
        failures = tuple(
            Failure("", f"Missing required argument: the argument {key!r} is required") for key in missing
        )
        return Checked(news, failures)

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        return compared(old_inputs, news, ignored=ignored, replacing=lambda _key: True)

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        kind = _kind(target)
        given = {**(kind.defaults or {}), **{key: _plain(value) for key, value in inputs.items()}}
        kept: Properties = {**(kind.defaults or {}), **inputs}
        if preview or contains_unknown(inputs):
            unknown: Properties = {
                key: Secret(UNKNOWN) if key in kind.secret else UNKNOWN for key in kind.outputs
            }
            return Created("", {**kept, **unknown})
        identifier, made = kind.make(given)
        outputs: Properties = {
            key: Secret(value) if key in kind.secret and not isinstance(value, Secret) else value
            for key, value in made.items()
        }
        return Created(identifier, {**kept, **outputs})

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        if not state:
            raise ProviderError(
                f"{target.type} can't be imported by the embedded engine: its value is in the state alone"
            )
        return Found(id, state, inputs)

    async def update(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
        preview: bool,
    ) -> Properties:
        return {**old_outputs, **news}

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        """There is nothing outside the state."""


def _kind(target: Target) -> _Kind:
    kind = _KINDS.get(target.type)
    if kind is None:
        raise ProviderError(f"random has no resource {target.type}; it has {', '.join(sorted(_KINDS))}")
    return kind


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return _plain(value.element)
    return None if isinstance(value, Unknown) else value


def provider() -> Provider:
    """A new provider of random values."""
    return Random()
