"""IAM: policies on resources, the roles that they grant, service accounts and identities from elsewhere."""

from infra.local.control.iam.access import Access
from infra.local.control.iam.policies import Policies
from infra.local.control.iam.stored import forget_policy, read_policy

__all__ = ["Access", "Policies", "forget_policy", "read_policy"]
