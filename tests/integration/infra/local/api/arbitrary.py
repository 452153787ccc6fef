"""Requests that a discovery document allows, and many that it does not, each made of one random number."""

import json
from random import Random
from urllib.parse import quote

BODIES = (b"", b"[]", b"{", b"\xff\xfe", b'{"a":NaN}', b"[" * 5000, b'"\\ud800"', b'{"name":"\\ud800"}')
QUERIES = (
    "alt=json",
    "alt=media",
    "nonsense=1",
    "a.b=1",
    "%ff=1",
    "prettyPrint=true",
    "fields=name",
    "fields=*",
    "fields=a(b",
    "key=x",
)
TEXTS = (
    "a", "runner", "roles/viewer", "user:a@example.com", "updateMask", "displayName", "a.b.c", "", "*", "-1",
    "\x00", "\N{GRINNING FACE}", "..", "projects/p", "a" * 3000, "'\"<>", "{}", "true", "run.googleapis.com",
)  # fmt: skip
WRONG = (None, True, -1, 1.5, 10**30, "x", [], {}, [[]], {"a": None})
SEGMENTS = {
    "projects": ("shipway-test", "shipway-test", "shipway-test", "X", "-", "123456789012"),
    "locations": ("global", "global", "global", "europe-west1", "-"),
    "billingAccounts": ("012345-6789AB-CDEF01", "mine"),
    "services": ("run.googleapis.com", "iam.googleapis.com", "nonsense"),
    "serviceAccounts": ("runner@shipway-test.iam.gserviceaccount.com", "1", "-", "x@y"),
    "roles": ("viewer", "run.admin", "none"),
    "workloadIdentityPools": ("pool-a", "pool-b", "gcp-x"),
    "providers": ("provider-a", "provider-b"),
}
OTHERS = ("a", "Ünïcode", "a" * 70, "x y", "latest", "%2e%2e", "a%2Fb", "a?b", "[a]*", "pool-c")
DEEPEST = 6
VALUES = {
    "google-datetime": ("2026-01-01T00:00:00Z",),
    "google-duration": ("300s", "0s", "-1s", "999999999999s"),
    "byte": ("", "YQ==", "-_"),
    "boolean": (True, False),
    "integer": (0, 1, 7, -1, 2**31 - 1),
    "number": (0.0, 0.5, -1, 1e300),
    "int64": ("0", "50", 7),
}


def request(methods, schemas, number):
    """A method, a path with query, and a body; `schemas` has the schemas of each method's document."""
    return _Maker(Random(number)).request(methods, schemas)  # noqa: S311


class _Maker:
    def __init__(self, random):
        self._random = random
        self._careful = random.random() < 0.6
        self._schemas = {}

    def request(self, methods, schemas):
        method = self._random.choice(methods)
        self._schemas = schemas[method.service.split(".")[0], method.service.split(".")[1]]
        path = self._path(method.template.plain)
        body = b""
        if method.request:
            body = json.dumps(self._message({"$ref": method.request}, 0)).encode()
            if self._rarely(20):
                body = self._random.choice((*BODIES, body[:-1]))
        return method, path + self._query(method), body

    def _rarely(self, one_in):
        return not self._careful and self._random.randrange(one_in) == 0

    def _path(self, plain):
        main, colon, verb = plain.partition(":")
        made, before = [], ""
        for segment in main.split("/"):
            if "*" in segment and len(made) == 2:
                made.append("projects")
            elif "*" in segment:
                pool = OTHERS if self._rarely(4) else SEGMENTS.get(before, OTHERS)
                value = self._random.choice(pool)
                made.append(value if "%" in value else quote(value, safe="@"))
            else:
                made.append(segment)
            before = made[-1] if "*" in segment else segment
        return "/".join(made) + colon + verb

    def _query(self, method):
        pairs = []
        for name, kind in method.parameters.items():
            if kind["location"] != "query":
                continue
            if name.endswith("Id") or name == "updateMask" or self._random.random() < 0.15:
                value = self._scalar(kind)
                if name.endswith("Id") and self._random.random() < 0.8:
                    value = f"pool-{self._random.randrange(10**6)}"
                if name == "updateMask":
                    value = self._random.choice(
                        ("displayName", "description,disabled", "nope", "a.b", "", "*", "oidc.issuerUri")
                    )
                pairs.append(f"{name}={quote(str(value))}")
        if self._rarely(3):
            pairs.append(self._random.choice(QUERIES))
        return "?" + "&".join(pairs) if pairs else ""

    def _message(self, schema, depth):
        kind = self._schemas[schema["$ref"]] if "$ref" in schema else schema
        if self._rarely(25) or kind.get("type") == "any":
            return self._random.choice(WRONG)
        if kind.get("type") == "array":
            return [self._message(kind["items"], depth + 1) for _ in range(self._random.randrange(3))]
        return self._object(kind, depth) if kind.get("type") == "object" else self._scalar(kind)

    def _object(self, kind, depth):
        if depth > DEEPEST:
            return {}
        if "additionalProperties" in kind:
            each = kind["additionalProperties"]
            return {self._random.choice(TEXTS): self._message(each, depth + 1) for _ in range(2)}
        made = {}
        for name, inner in kind.get("properties", {}).items():
            wanted = {"policy": 0.9, "amount": 0.9, "accountId": 0.9, "scope": 0.9, "audience": 0.9}
            if self._random.random() < wanted.get(name, 0.25):
                made[name] = self._message(inner, depth + 1)
                if name in {"accountId", "projectId"} and self._random.random() < 0.8:
                    made[name] = f"account-{self._random.randrange(10**6)}"
        if self._rarely(20):
            made[self._random.choice(("unknown", "", "name.x", "@type"))] = self._random.choice(WRONG)
        return made

    def _scalar(self, kind):
        form = kind.get("format", "")
        if "enum" in kind and not self._rarely(5):
            return self._random.choice(kind["enum"])
        pool = VALUES.get(form) or VALUES.get(kind.get("type"))
        if pool is None:
            pool = TEXTS[:10] if self._careful else TEXTS
        value = self._random.choice(pool)
        return str(value).lower() if isinstance(value, bool) and "location" in kind else value
