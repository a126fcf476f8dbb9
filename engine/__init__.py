"""The measuring half of Model Dyno: works without Qt and, outside `engine.worker`, without torch."""
