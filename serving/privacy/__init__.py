"""Personal data: finding who somebody is, giving out what is held of them, and the orders to erase it."""
