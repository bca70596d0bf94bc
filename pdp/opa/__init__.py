"""OPA: the process, the questions that are put to it, and how questions become few queries."""
