package policy

import data.lib.limits

allow contains {"rule": "open", "reason": "everybody exports"} if input.action.name == "export"

deny contains {"rule": "no", "reason": "no"} if limits.level == "high"
