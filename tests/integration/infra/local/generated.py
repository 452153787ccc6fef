"""Requests that the published definition allows, and many that it does not: for property-based tests.

A request is made of one random number, which is far quicker than a strategy of hypothesis for each of its
fields; a failure shows the whole request.
"""

import json
from random import Random
from urllib.parse import quote

from google.protobuf.descriptor import FieldDescriptor

from infra.local.api.definition import protobuf

PROJECTS = ("x", "Other_Project", "123456789012", "-")
LOCATIONS = ("us-central1", "-", "nowhere", "europe-west1%0A")
IDS = ("hello-00001-abc", "-", "Ünïcode", "a" * 70, "x y", "latest", "1", "%2e%2e", "a?b", "[a]*", "b")
USUAL = {"projects": "shipway-test", "locations": "europe-west1"}
TEXTS = (
    "a", "hello", "localhost/app", "100", "1Gi", "/x", "allUsers", "roles/viewer", "b-1", "http1", "",
    "\x00", "\N{GRINNING FACE}", "..", "projects/p", "a" * 3000, "'\"<>", "{}", "true",
)  # fmt: skip
TIMES = ("300s", "1s", "2026-01-01T00:00:00Z", "a,b", "labels", "-1s", "9999999999999999s")
WRONG = (None, True, -1, 1.5, 10**30, "x", [], {}, [[]], {"a": None})
BODIES = (b"", b"[]", b"{", b"\xff\xfe", b'{"a":NaN}', b"[" * 5000, b'"\\ud800"', b'{"name":"\\ud800"}')
QUERIES = (
    "%24alt=json%3Benum-encoding%3Dint",
    "alt=json",
    "nonsense=1",
    "a.b=1",
    "validateOnly=true",
    "%ff=1",
)
DEEPEST = 5
_INTEGERS = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64}
_FLOATS = {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}


def request(methods, number):
    """A method of the definition, a path with query, and a body."""
    return _Maker(Random(number)).request(methods)  # noqa: S311


class _Maker:
    def __init__(self, random):
        self._random = random
        # Half of the requests are made without mistakes on purpose, to get past the first check.
        self._careful = random.random() < 0.6

    def request(self, methods):
        rpc = self._random.choice(methods)
        path = rpc.template.text
        for field in rpc.template.fields:
            start = path.index("{" + field)
            end = path.index("}", start)
            pattern = path[start + 1 : end].partition("=")[2]
            path = path[:start] + self._segments(pattern) + path[end + 1 :]
        descriptor = protobuf(rpc.request).DESCRIPTOR
        query = self._query(descriptor)
        body = b""
        if rpc.body:
            kind = descriptor if rpc.body == "*" else descriptor.fields_by_name[rpc.body].message_type
            body = json.dumps(self._message(kind, 0)).encode()
            if self._rarely(30):
                body = self._random.choice((*BODIES, body[:-1]))
        return rpc, path + query, body

    def _rarely(self, one_in):
        return not self._careful and self._random.randrange(one_in) == 0

    def _segments(self, pattern):
        made, before = [], ""
        for segment in pattern.split("/"):
            if not segment.startswith("*"):
                made.append(segment)
            elif before in USUAL and not self._rarely(4):
                made.append(USUAL[before])
            else:
                pool = {"projects": PROJECTS, "locations": LOCATIONS}.get(before, ("a", *IDS))
                value = (
                    "a" if self._random.random() < 0.7 and before not in USUAL else self._random.choice(pool)
                )
                made.append(value if "%" in value else quote(value, safe=""))
            before = segment
        return "/".join(made)

    def _query(self, descriptor):
        pairs = []
        for field in descriptor.fields:
            # An id is needed for most of what is created.
            if field.name.endswith("_id") and self._random.random() < 0.8:
                pairs.append(f"{field.json_name}=s{self._random.randrange(10**6)}")
            elif self._rarely(4):
                value = self._random.choice(
                    (*TEXTS, "0", "7", "-1", "2147483648", "labels,template.containers")
                )
                pairs.append(f"{field.json_name}={quote(value)}")
        if self._random.random() < 0.5:
            pairs.append(QUERIES[0])
        if self._rarely(4):
            pairs.append(self._random.choice(QUERIES))
        return "?" + "&".join(pairs) if pairs else ""

    def _message(self, descriptor, depth):
        if descriptor.full_name.startswith("google.protobuf."):
            return self._random.choice(WRONG if self._rarely(5) else TIMES)
        if depth > DEEPEST:
            return {}
        made = {}
        for field in descriptor.fields:
            wanted = {"template": 0.9, "containers": 1.0, "image": 1.0}.get(field.name, 0.15)
            if self._random.random() < wanted:
                made[field.json_name] = self._field(field, depth)
        if self._rarely(40):
            made[self._random.choice(("unknown", "", "name.x", "@type"))] = self._random.choice(WRONG)
        return made

    def _field(self, field, depth):
        if self._rarely(25):
            return self._random.choice(WRONG)
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            value = kind.fields_by_name["value"]
            return {
                self._random.choice(TEXTS): self._single(value, depth)
                for _ in range(self._random.randrange(3))
            }
        if field.is_repeated:
            least = field.name == "containers"
            return [self._single(field, depth) for _ in range(self._random.randrange(least, 2 + (not least)))]
        return self._single(field, depth)

    def _single(self, field, depth):
        if field.message_type is not None:
            return self._message(field.message_type, depth + 1)
        if field.enum_type is not None:
            names = [value.name for value in field.enum_type.values]
            return self._random.choice([*names, 0, 1] if self._careful else [*names, 0, 1, 99, "NOT_ONE"])
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return self._random.random() < 0.5
        if field.cpp_type in _INTEGERS:
            return self._random.choice((0, 1, 100, -1, "7", 2**31 if self._rarely(3) else 8080))
        if field.cpp_type in _FLOATS:
            return self._random.choice((0.0, 1.5, "NaN", -1))
        return self._random.choice(TEXTS[:10] if self._careful else TEXTS)
