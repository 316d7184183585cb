"""The HTTP server: one router a resource, one gate in front of them."""
