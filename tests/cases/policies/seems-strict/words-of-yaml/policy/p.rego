package policy

allow contains {"rule": "a", "reason": sprintf("%v", [data.x])}
