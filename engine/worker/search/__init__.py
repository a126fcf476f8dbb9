"""Building candidates for bare weights, with the arguments that fit, and indexing the libraries' architectures."""
