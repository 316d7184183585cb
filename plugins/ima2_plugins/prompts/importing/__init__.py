"""Prompts from elsewhere: files, GitHub, curated lists and repositories that a search finds."""
