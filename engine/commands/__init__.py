"""The commands: one module each, with what they share beside them."""
