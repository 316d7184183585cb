"""The prompt builder: talking about a prompt with whichever model of words is ready."""
