"""Checking a request, running it, keeping what comes."""
