"""Everything made and kept: files of the gallery, what is known of each, and a fast list of them."""

from ima2.library.gallery import Gallery
from ima2.library.pages import Listed
from ima2.library_api import Kept

__all__ = ["Gallery", "Kept", "Listed"]
