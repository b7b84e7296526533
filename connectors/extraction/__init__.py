"""What a kind of source hands to landing: a request answered with portions of Arrow rows in a spool."""
