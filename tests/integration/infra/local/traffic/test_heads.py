"""What an instance is told of a request, and a client of a response, by the proxy."""

import re

import pytest

TRACE = "0af7651916cd43dd8448eb211c80319c"


def seen(instance):
    """The fields of the last request that came to an instance, as a list of values by name."""
    found = {}
    for line in instance.heads[-1].decode("latin-1").split("\r\n")[1:]:
        if line:
            name, _, value = line.partition(":")
            found.setdefault(name.lower(), []).append(value.strip())
    return found


def test_an_instance_is_told_who_asks_as_cloud_run_tells_it(stage, instance):
    stage.get(headers={"user-agent": "me"})
    fields = seen(instance)
    assert fields["host"] == ["web.localhost"]
    assert fields["user-agent"] == ["me"]
    assert fields["x-forwarded-for"] == ["127.0.0.1"]
    assert fields["x-forwarded-proto"] == ["http"]
    assert fields["forwarded"] == ['for="127.0.0.1";proto=http']
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", fields["traceparent"][0])
    assert re.fullmatch(r"[0-9a-f]{32}/\d+;o=0", fields["x-cloud-trace-context"][0])


def test_the_port_of_a_host_is_the_clients(stage, instance):
    stage.get(host="web.localhost:1234")
    assert seen(instance)["host"] == ["web.localhost:1234"]


def test_what_a_client_says_of_whom_it_asks_for_is_kept_before_its_address(stage, instance):
    stage.get(headers=[("x-forwarded-for", "10.0.0.9"), ("x-forwarded-for", "10.0.0.8")])
    assert seen(instance)["x-forwarded-for"] == ["10.0.0.9,10.0.0.8,127.0.0.1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"),
        ("x-cloud-trace-context", f"{TRACE}/12345;o=1"),
    ],
)
def test_a_trace_goes_on(stage, instance, name, value):
    answer = stage.get(headers={name: value})
    fields = seen(instance)
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", fields["traceparent"][0])
    assert fields["traceparent"][0].split("-")[2] not in value
    assert re.fullmatch(rf"{TRACE}/\d+;o=1", fields["x-cloud-trace-context"][0])
    assert answer.headers["x-cloud-trace-context"] == fields["x-cloud-trace-context"][0]
    entry = stage.logged()
    assert entry.trace == f"projects/acme/traces/{TRACE}"
    assert entry.payload["traceSampled"] is True


@pytest.mark.parametrize(
    "value", ["", "00-xyz-1-01", f"ff-{TRACE}-b7ad6b7169203331-01", f"00-{'0' * 32}-b7ad6b7169203331-01"]
)
def test_a_trace_that_is_none_begins_anew(stage, instance, value):
    stage.get(headers={"traceparent": value})
    (made,) = seen(instance)["traceparent"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", made)
    assert made.split("-")[1] not in {TRACE, "0" * 32}


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "X-Forwarded-Proto",
        "X_Forwarded_For",
        "X_Forwarded_Proto",
        "X-Goog-Authenticated-User-Email",
        "X-Goog-Authenticated-User-Id",
        "X-Goog-IAP-JWT-Assertion",
        "X_Goog_Authenticated_User_Email",
        "X-Google-Apps-Metadata",
        "X-AppEngine-User-Email",
        "X-Serverless-Authorization",
        "Proxy-Authorization",
        "TE",
    ],
)
def test_a_client_cannot_forge_what_googles_own_say(stage, instance, name):
    stage.get(headers={name: "evil"})
    assert "evil" not in str(seen(instance))


def test_other_fields_pass_in_order(stage, instance):
    stage.get(headers=[("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("x-goog-api-key", "mine"), ("x_y", "4")])
    fields = seen(instance)
    assert fields["x-a"] == ["1", "3"]
    assert (fields["x-b"], fields["x_y"], fields["x-goog-api-key"]) == (["2"], ["4"], ["mine"])


def test_what_concerns_one_connection_goes_no_further(stage, instance):
    instance.pages["/"] = lambda call: call.respond(
        b"", "200 OK", "Connection: x-mine, keep-alive", "X-Mine: 1", "Keep-Alive: timeout=5", "Server: tiny"
    )
    answer = stage.get(headers={"connection": "x-private, cookie", "x-private": "1", "cookie": "a=b"})
    fields = seen(instance)
    assert "x-private" not in fields
    assert fields["cookie"] == ["a=b"]
    assert not {"x-mine", "keep-alive"} & set(answer.headers)
    assert answer.headers["server"] == "Google Frontend"


def test_a_client_cannot_have_the_framing_dropped(stage, instance):
    said = stage.say(
        b"POST /size HTTP/1.1\r\nHost: web.localhost\r\nContent-Length: 5\r\n"
        b"Connection: close, content-length, transfer-encoding\r\n\r\nhello"
    )
    assert said.endswith(b"\r\n\r\n5")


def test_cookies_and_their_like_come_back_as_they_were_set(stage, instance):
    instance.pages["/"] = lambda call: call.respond(
        b"", "200 OK", "Set-Cookie: a=1", "Set-Cookie: b=2; Path=/"
    )
    assert stage.get().headers.get_list("set-cookie") == ["a=1", "b=2; Path=/"]


def test_a_status_and_its_reason_pass(stage, instance):
    instance.pages["/"] = lambda call: call.respond(b"tea", "418 I am a teapot")
    answer = stage.get()
    assert (answer.status_code, answer.reason_phrase, answer.text) == (418, "I am a teapot", "tea")


def test_a_target_passes_as_it_is(stage, instance):
    stage.say(b"GET /a%20b/../c?x=%00&y=%2F HTTP/1.1\r\nHost: web.localhost\r\nConnection: close\r\n\r\n")
    assert instance.heads[-1].startswith(b"GET /a%20b/../c?x=%00&y=%2F HTTP/1.1\r\n")
    stage.say(b"GET http://web.localhost/abs HTTP/1.1\r\nHost: web.localhost\r\nConnection: close\r\n\r\n")
    assert instance.heads[-1].startswith(b"GET /abs HTTP/1.1\r\n")
