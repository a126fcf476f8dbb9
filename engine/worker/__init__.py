"""The only part of Model Dyno that imports torch; started by `engine.launch`, imported by nobody else."""
