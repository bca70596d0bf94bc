package policy

allow contains {"rule": "a.all", "reason": "open"} if input.action.name == "export"

obligation contains {"rule": "o", "reason": "r", "type": "t"} if count(data.sales.deny) > 99
