"""Binary Authorization: a project's policy says which images may run."""

from infra.local.control.admission.policy import BinaryAuthorization

__all__ = ["BinaryAuthorization"]
