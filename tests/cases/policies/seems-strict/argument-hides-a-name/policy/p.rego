package policy

import data.lib.tags

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

deny contains {"rule": "d", "reason": "restricted"} if tags.has(input.resource.properties, "restricted")
