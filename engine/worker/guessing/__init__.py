"""Inputs of a model that nobody declared: proposals from its layers and its forward, tried until one runs."""
