"""OpenAI's Responses API with its hosted image tool, behind two plugins.

``api`` pays per picture with an API key; ``oauth`` spends the allowance of a ChatGPT login. They can be switched off
separately and share everything between the request and the wire: ``catalogue`` and ``reasons`` are what is known of
the service, as data; ``provider``, ``image_job`` and ``calls`` lead from a request to calls; ``transport``,
``response_reader`` and ``upstream_error`` read answers.
"""
