"""Looking for the class that fits bare weights, without torch and without importing anybody's code."""
