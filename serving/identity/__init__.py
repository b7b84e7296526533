"""Who asks: keys, what they may do, and the log of what was done with them."""
