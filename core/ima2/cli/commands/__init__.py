"""The commands, one file each. Each is imported when it is the one asked for."""
