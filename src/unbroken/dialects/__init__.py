"""The dialects this library knows; importing this package registers them, in the order of recognition."""
