"""The window of Model Dyno: view models, widgets, and every sentence that the user reads."""
