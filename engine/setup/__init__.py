"""How the program sets itself up on a bare machine: standard library only, runs before anything is installed."""
