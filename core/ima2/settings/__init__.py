"""config.json, environment variables, the layers between them, and where a value came from."""
