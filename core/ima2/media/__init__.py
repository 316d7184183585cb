"""Encoded pictures as bytes: what they are, how large, and the metadata they carry."""
