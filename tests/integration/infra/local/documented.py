"""Clients of Google's APIs out of discovery documents, unmodified but for endpoint and credentials."""

import json

import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient import discovery, errors


def build(url, api, version):
    return discovery.build(
        api,
        version,
        static_discovery=True,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": url},
    )


def refused(call):
    """The google.rpc.Status that a call is refused with."""
    with pytest.raises(errors.HttpError) as caught:
        call.execute()
    error = json.loads(caught.value.content)["error"]
    assert error["code"] == caught.value.resp.status
    return error


def detail(error, kind):
    """The detail of one type."""
    [found] = [each for each in error["details"] if each["@type"].endswith(f".{kind}")]
    return found
