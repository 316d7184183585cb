"""OpenAI's Responses API with its hosted image tool, behind two front doors.

``api`` pays per picture with an API key; ``oauth`` spends the allowance of a ChatGPT login. They are two
plugins that can be switched off separately and share everything between the request and the wire.
"""
