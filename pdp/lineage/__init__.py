"""Where data came from and what is in it: facts from a log, and the tags that follow from them."""
