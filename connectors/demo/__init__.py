"""The subscription company that is made up here: the same on every machine, with defects of known count."""
