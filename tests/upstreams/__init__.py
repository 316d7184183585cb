"""Fakes that speak the upstreams' wire over loopback, failures included.

Each module of this package holds one upstream: ``routes(world)`` gives its Starlette routes. What a request
provokes is switched by words in its prompt (`World.switch`), so that a person can play with them too.
"""
