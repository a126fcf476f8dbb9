"""How the view models are shown."""
