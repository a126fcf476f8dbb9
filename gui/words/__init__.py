"""Tables of the window's words: code -> (English, Simplified Chinese); read through `gui.text`."""
