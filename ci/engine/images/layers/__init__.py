"""Layers: tars of changes, packed from members and unpacked into directories, whoever made them."""
