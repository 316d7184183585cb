"""How plugins are found, switched, checked, loaded, opened and reported."""
