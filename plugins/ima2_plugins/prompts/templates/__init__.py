"""Templates: prompts that are dice. Only a text that asks for it is one."""
