"""Errors as a registry answers them.

Codes: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
"""

import json

_HTTP = {
    "BLOB_UNKNOWN": 404,
    "BLOB_UPLOAD_INVALID": 400,
    "BLOB_UPLOAD_UNKNOWN": 404,
    "DENIED": 403,
    "DIGEST_INVALID": 400,
    "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE": 400,
    "GOOGLE_MANIFEST_DANGLING_TAG": 400,
    "MANIFEST_BLOB_UNKNOWN": 404,
    "MANIFEST_INVALID": 400,
    "MANIFEST_UNKNOWN": 404,
    "NAME_INVALID": 400,
    "NAME_UNKNOWN": 404,
    "PAGINATION_NUMBER_INVALID": 400,
    "SIZE_INVALID": 413,
    "UNKNOWN": 500,
    "UNSUPPORTED": 405,
}


class RegistryError(Exception):
    """A request's failure: `code` is one of the specification, `status` the one of HTTP that goes with it."""

    def __init__(self, code: str, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _HTTP[code]

    def body(self) -> bytes:
        """The JSON that a client reads."""
        return json.dumps({"errors": [{"code": self.code, "message": self.message}]}).encode()
