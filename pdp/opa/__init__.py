"""OPA: its process, the questions that it is asked, and how many questions become one query."""
