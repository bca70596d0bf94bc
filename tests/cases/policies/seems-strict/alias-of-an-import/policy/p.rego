package policy

import data.lib.open as restricted

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

deny contains {"rule": "d", "reason": "restricted"} if restricted.table
