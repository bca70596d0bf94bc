package policy


allow contains {"rule": "a", "reason": sprintf("%v", [time.clock([input.now, "Local"])])}
