"""Telling what happens: to every sink, and to features that follow it."""
