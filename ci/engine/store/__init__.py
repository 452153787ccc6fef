"""What the engine keeps on disk: file trees, their layers, blobs, results and cache volumes."""
