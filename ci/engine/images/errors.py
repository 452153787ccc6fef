"""What can go wrong with an image. Each message names the thing, the place and the remedy."""


class ImageError(Exception):
    """Base of all errors of this package."""


class InvalidReference(ImageError):
    """The text is not the name of an image."""


class ImageNotFound(ImageError):
    """The registry or archive has no such image."""


class RegistryUnreachable(ImageError):
    """No registry answered, or what answered is no registry."""


class RegistryDenied(ImageError):
    """The registry answered, and refused."""


class BrokenImage(ImageError):
    """The bytes of an image are damaged, incomplete or hostile."""


class UnsupportedPlatform(ImageError):
    """The image exists, but not for the platform asked for."""


class BootstrapFailed(ImageError):
    """No base image could be built from Debian packages."""
