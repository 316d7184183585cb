"""Everything made and kept: files of the gallery, what is known of each, and a fast list of them."""

from ima2.library.index import Listed, Query, splice
from ima2.library.library import Kept, Library

__all__ = ["Kept", "Library", "Listed", "Query", "splice"]
