"""The version of this distribution, and the version of the interface plugins are written against."""

VERSION = "3.0.0"
API_VERSION = 3
"""Counts incompatible changes of the public interface; a plugin pins ``ima2>=3,<4``."""
