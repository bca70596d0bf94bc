"""From the masks that a policy selects to a job of `masker`: the question, the plan, the counting, the keys."""
