"""Names of files, under the module's earlier name."""

from ima2.library.names import extension_of, sidecar_of, url_of

__all__ = ["extension_of", "sidecar_of", "url_of"]
