"""Ways to generate: how each builds a request from a client's JSON, names its files and answers.

They differ in nothing else. No way knows a provider; what differs between providers is in their
`Capabilities`.
"""
