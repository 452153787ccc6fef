"""An image's root file system: its layers as directories that overlayfs stacks, and its user's account."""

from infra.local.runtime.rootfs.accounts import Account
from infra.local.runtime.rootfs.layers import Layers
from infra.local.runtime.rootfs.preparation import Preparation, Prepared, Source

__all__ = ["Account", "Layers", "Preparation", "Prepared", "Source"]
