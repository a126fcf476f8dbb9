"""View models (QtCore only): what the window shows, without how."""
