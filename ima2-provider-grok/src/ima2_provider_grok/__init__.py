"""The grok provider."""
