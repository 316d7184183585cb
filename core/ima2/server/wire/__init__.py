"""The wire of ima2-gen: one adapter a family of routes turns JSON into a typed request with a label, and what came of
it into answers, events and error bodies. Names and codes: the HTTP pages of the reference."""
