"""httpx where nothing is encrypted: it would load the certificates of the world for each client."""

import ssl
from functools import partial

import httpx

_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
Client = partial(httpx.Client, verify=_TRUST)
request = partial(httpx.request, verify=_TRUST)
get = partial(httpx.get, verify=_TRUST)
post = partial(httpx.post, verify=_TRUST)
