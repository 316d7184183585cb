"""The plugins that come with ima2: each folder or module is named by an entry point of its own."""
