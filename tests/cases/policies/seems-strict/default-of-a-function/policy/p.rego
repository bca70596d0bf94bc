package policy

import data.lib.gate

allow contains {"rule": "a", "reason": "r"} if gate.open(input.context.purpose)
