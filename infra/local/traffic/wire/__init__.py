"""HTTP/1.1 on both sides of the proxy: requests as they arrive, responses as they come back."""
