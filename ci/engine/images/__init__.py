"""Images: references, layers, archives, registries, and base images bootstrapped from Debian packages."""

from typing import TYPE_CHECKING

from ci.engine.partial import named

if TYPE_CHECKING:
    from ci.engine.images.archive import read_archive, write_archive
    from ci.engine.images.errors import (
        BootstrapFailed,
        BrokenImage,
        ImageError,
        ImageNotFound,
        InvalidReference,
        RegistryDenied,
        RegistryUnreachable,
        UnsupportedPlatform,
    )
    from ci.engine.images.image import Image, ImageConfig, Layer
    from ci.engine.images.images import Images
    from ci.engine.images.layers.member import Member
    from ci.engine.images.layers.pack import pack, write_tar
    from ci.engine.images.layers.unpack import unpack
    from ci.engine.images.manifest import MediaTypes
    from ci.engine.images.reference import Reference, parse_reference

__all__ = [
    "BootstrapFailed",
    "BrokenImage",
    "Image",
    "ImageConfig",
    "ImageError",
    "ImageNotFound",
    "Images",
    "InvalidReference",
    "Layer",
    "MediaTypes",
    "Member",
    "Reference",
    "RegistryDenied",
    "RegistryUnreachable",
    "UnsupportedPlatform",
    "pack",
    "parse_reference",
    "read_archive",
    "unpack",
    "write_archive",
    "write_tar",
]

if not TYPE_CHECKING:  # to which all names are known, and no others
    __getattr__ = named(
        __name__,
        {
            "read_archive": "archive",
            "write_archive": "archive",
            "BootstrapFailed": "errors",
            "BrokenImage": "errors",
            "ImageError": "errors",
            "ImageNotFound": "errors",
            "InvalidReference": "errors",
            "RegistryDenied": "errors",
            "RegistryUnreachable": "errors",
            "UnsupportedPlatform": "errors",
            "Image": "image",
            "ImageConfig": "image",
            "Layer": "image",
            "Images": "images",
            "Member": "layers.member",
            "pack": "layers.pack",
            "write_tar": "layers.pack",
            "unpack": "layers.unpack",
            "MediaTypes": "manifest",
            "Reference": "reference",
            "parse_reference": "reference",
        },
    )
