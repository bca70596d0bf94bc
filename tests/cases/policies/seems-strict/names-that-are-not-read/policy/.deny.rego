package policy


deny contains {"rule": "d2", "reason": "x"}
