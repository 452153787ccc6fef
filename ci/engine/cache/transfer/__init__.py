"""The cache taken elsewhere: to a folder or a registry at a session's end, and from there at another's start.

It travels as an ordinary image (OCI), so that any registry keeps it and every blob is known by its digest:
only what is not there is sent. The first layer has ``facts.json``, what this session used of results and
listings; the others hold files' contents under their sha256, one layer for each layer on disk; then come the
layers of the base images. Cache volumes and the host's directories stay where they are.
"""
